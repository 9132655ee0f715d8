package server

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/surejson"
)

// A publishRequest is the body of POST /api/publish, as Centrifugo has it.
type publishRequest struct {
	Channel        string            `json:"channel"`
	Data           json.RawMessage   `json:"data"`
	Tags           map[string]string `json:"tags"`
	SkipHistory    bool              `json:"skip_history"`
	IdempotencyKey string            `json:"idempotency_key"`
}

// An apiReply is the body of every answer of the API: one of the two.
type apiReply struct {
	Error  *apiError `json:"error,omitempty"`
	Result any       `json:"result,omitempty"`
}

// An apiError carries the codes of the client protocol.
type apiError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

type publishResult struct {
	Offset    uint64            `json:"offset,omitempty"`
	Epoch     string            `json:"epoch,omitempty"`
	Duplicate bool              `json:"duplicate,omitempty"`
	Repairs   []surejson.Repair `json:"repairs,omitempty"`
}

// envelope is what the body of a publication may have besides its Data.
const envelope = 16 << 10

func (s *Server) publish(w http.ResponseWriter, r *http.Request) {
	if !s.allowedAPI(w, r) {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(s.config.MaxPublication)+envelope))
	if err != nil {
		s.refuse(w, err)
		return
	}
	var req publishRequest
	if err := decode(body, &req); err != nil {
		s.refuse(w, err)
		return
	}
	opts := []surewire.PublishOption{surewire.WithID(req.IdempotencyKey), surewire.WithTags(req.Tags)}
	if req.SkipHistory {
		opts = append(opts, surewire.Ephemeral())
	}
	receipt, err := s.publisher.Publish(r.Context(), req.Channel, req.Data, opts...)
	if err != nil {
		s.refuse(w, err)
		return
	}
	answer(w, http.StatusOK, apiReply{Result: publishResult{
		Offset: receipt.Position.Offset, Epoch: receipt.Position.Epoch,
		Duplicate: receipt.Duplicate, Repairs: receipt.Report.Repairs,
	}})
}

// allowedAPI answers for those who may not use the API. A page of another
// origin may not even without a key: the browser of a developer is inside.
func (s *Server) allowedAPI(w http.ResponseWriter, r *http.Request) bool {
	if !s.allowedOrigin(r) {
		answer(w, http.StatusForbidden, apiReply{Error: &apiError{103, "permission denied: origin is not allowed"}})
		return false
	}
	if s.config.InsecureAPI {
		return true
	}
	key := r.Header.Get("X-API-Key")
	if k, ok := strings.CutPrefix(r.Header.Get("Authorization"), "apikey "); ok && key == "" {
		key = k
	}
	// Digests have one length: the comparison tells nothing of the key's.
	got, want := sha256.Sum256([]byte(key)), sha256.Sum256([]byte(s.config.APIKey))
	if s.config.APIKey == "" || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		w.Header().Set("WWW-Authenticate", "apikey")
		answer(w, http.StatusUnauthorized, apiReply{Error: &apiError{101, "unauthorized: the API key in X-API-Key is missing or wrong"}})
		return false
	}
	return true
}

// errBody says that a request's body is not what the API takes.
var errBody = errors.New("bad request")

// decode reads body into req. The error says what is wrong, and where.
func decode(body []byte, req *publishRequest) error {
	if !utf8.Valid(body) {
		return fmt.Errorf("%w: the body is not UTF-8 at %s", errBody, place(body, invalidUTF8(body)))
	}
	var raw json.RawMessage
	var syntax *json.SyntaxError
	if err := json.Unmarshal(body, &raw); errors.As(err, &syntax) {
		return fmt.Errorf("%w: the body is not JSON at %s: %w", errBody, place(body, max(int(syntax.Offset)-1, 0)), err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	var kind *json.UnmarshalTypeError
	err := d.Decode(req)
	switch {
	case errors.As(err, &kind):
		return fmt.Errorf("%w: field %q at %s cannot be a JSON %s", errBody, kind.Field, place(body, int(kind.Offset)), kind.Value)
	case err != nil:
		return fmt.Errorf("%w: %s; fields are channel, data, tags, skip_history, idempotency_key",
			errBody, strings.TrimPrefix(err.Error(), "json: "))
	case len(req.Data) == 0:
		return fmt.Errorf(`%w: field "data" is missing: give one JSON value`, errBody)
	}
	return nil
}

func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}

// place names the byte at offset as an editor does, from 1.
func place(body []byte, offset int) string {
	before := body[:min(offset, len(body))]
	line := strings.Count(string(before), "\n") + 1
	column := len(before) - strings.LastIndexByte(string(before), '\n')
	return fmt.Sprintf("line %d, column %d", line, column)
}

// refuse answers with err, in the API's words.
func (s *Server) refuse(w http.ResponseWriter, err error) {
	var tooLong *http.MaxBytesError
	e, status := &apiError{107, err.Error()}, http.StatusBadRequest
	switch {
	case errors.As(err, &tooLong):
		e.Message, status = fmt.Sprintf("bad request: the body is longer than %d bytes", tooLong.Limit), http.StatusRequestEntityTooLarge
	case errors.Is(err, surewire.ErrTooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, errBody), errors.Is(err, surewire.ErrChannel), errors.Is(err, surewire.ErrRepaired):
	case errors.Is(err, surewire.ErrBusy), errors.Is(err, surewire.ErrUnavailable),
		errors.Is(err, surewire.ErrUnknown), errors.Is(err, surewire.ErrClosed):
		e.Code, status = 100, http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	default:
		s.config.Logger.Error("publish failed", "error", err)
		*e, status = apiError{100, "internal server error"}, http.StatusInternalServerError
	}
	answer(w, status, apiReply{Error: e})
}

func answer(w http.ResponseWriter, status int, v apiReply) {
	body, _ := surejson.Marshal(v)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}
