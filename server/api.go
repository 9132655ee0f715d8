package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/server/internal/body"
	"github.com/surewire/surewire/surejson"
	"github.com/surewire/surewire/wire"
)

// An apiReply is the body of an answer of the API: one of the two.
type apiReply struct {
	Error  *apiError `json:"error,omitempty"`
	Result any       `json:"result,omitempty"`
}

// An apiError carries the codes of the client protocol.
type apiError struct {
	Code    uint32 `json:"code"`
	Message string `json:"message"`
}

// A method is one method of the API: it decodes a body and does what it says.
type method struct {
	summary         string
	request, result reflect.Type
	call            func(ctx context.Context, s *Server, text []byte) (any, error)
	all             bool // it is about connections, which may be at any process
}

// on makes a method of f, which gets a request that has been decoded.
func on[Request, Result any](f func(s *Server, ctx context.Context, r *Request) (Result, error), summary string) method {
	return method{summary: summary, request: reflect.TypeFor[Request](), result: reflect.TypeFor[Result](), call: func(ctx context.Context, s *Server, text []byte) (any, error) {
		r := new(Request)
		if err := body.Decode(text, r); err != nil {
			return nil, err
		}
		return f(s, ctx, r)
	}}
}

// everywhere has m carried out by all processes.
func everywhere(m method) method {
	m.all = true
	return m
}

// methods are those of Centrifugo's HTTP API, by their names in the path.
var methods = map[string]method{
	"publish":        on((*Server).apiPublish, "Publish to a channel."),
	"broadcast":      on((*Server).apiBroadcast, "Publish to several channels, to each by itself: one may fail, and the others not."),
	"subscribe":      everywhere(on((*Server).apiSubscribe, "Begin subscriptions that the clients have not asked for.")),
	"unsubscribe":    everywhere(on((*Server).apiUnsubscribe, "End subscriptions.")),
	"disconnect":     everywhere(on((*Server).apiDisconnect, "End connections.")),
	"refresh":        everywhere(on((*Server).apiRefresh, "Set when connections expire.")),
	"presence":       on((*Server).apiPresence, "Who reads a channel."),
	"presence_stats": on((*Server).apiPresenceStats, "How many read a channel."),
	"history":        on((*Server).apiHistory, "What is kept of a channel."),
	"history_remove": on((*Server).apiHistoryRemove, "Forget what is kept of a channel."),
	"channels":       on((*Server).apiChannels, "The channels that somebody reads."),
	"info":           on((*Server).apiInfo, "The server, and how much it has to do."),

	"ticket":                 on((*Server).apiTicket, "A ticket for a token: it opens one connection, soon, where only a URL or a log may carry it."),
	"revoke_token":           everywhere(on((*Server).apiRevokeToken, "Take a token back, and end the connections that it opened.")),
	"invalidate_user_tokens": everywhere(on((*Server).apiInvalidateUserTokens, "Take a user's tokens back, and end the connections that they opened.")),
}

// envelope is what the body of a publication may have besides its Data.
const envelope = 16 << 10

// batchSize is how many times the longest publication a batch may be.
const batchSize = 8

// api answers one call.
func (s *Server) api(w http.ResponseWriter, r *http.Request) {
	if !s.allowedAPI(w, r) {
		return
	}
	name, began := r.PathValue("method"), time.Now()
	m, ok := methods[name]
	limit := int64(s.config.MaxPublication) + envelope
	if name == "batch" {
		limit *= batchSize
	} else if !ok {
		e := &apiError{wire.ErrMethodNotFound.Code,
			fmt.Sprintf("method not found: %.40q; there are batch, %s", name, strings.Join(slices.Sorted(maps.Keys(methods)), ", "))}
		s.counts.called("unknown", began, e)
		answer(w, http.StatusNotFound, apiReply{Error: e})
		return
	}
	var result any
	text, err := body.Read(w, r, limit)
	if err == nil {
		if name == "batch" {
			result, err = s.batch(r.Context(), text)
		} else {
			result, err = s.call(r.Context(), name, m, text)
		}
	}
	status, e := s.refusal(r.Context(), err)
	s.counts.called(name, began, e)
	switch {
	case e != nil:
		if status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "1")
		}
		answer(w, status, apiReply{Error: e})
	case name == "batch":
		answer(w, http.StatusOK, result) // as Centrifugo does, without an envelope
	default:
		answer(w, http.StatusOK, apiReply{Result: result})
	}
}

// call carries out one call, here and where else it must be.
func (s *Server) call(ctx context.Context, name string, m method, text []byte) (any, error) {
	result, err := m.call(ctx, s, text)
	if err == nil && m.all {
		err = s.relay.Send(ctx, name, text)
	}
	return result, err
}

// A batchRequest holds commands: objects with one member each, the method's
// name and its request.
type batchRequest struct {
	Commands []map[string]json.RawMessage `json:"commands" openapi:"required" doc:"Objects with one member each: a method's name, and its request."`
	Parallel bool                         `json:"parallel" doc:"Taken, and without effect: calls are short."`
}

// A batchResult holds the answers: objects with one member each, the method's
// name and its result, or "error".
type batchResult struct {
	Replies []map[string]any `json:"replies" doc:"In the order of the commands: objects with one member each, the method's name and its result, or error and what is wrong."`
}

// batch answers several calls in one, in their order.
func (s *Server) batch(ctx context.Context, text []byte) (batchResult, error) {
	var b batchRequest
	if err := body.Decode(text, &b); err != nil {
		return batchResult{}, err
	}
	all := batchResult{make([]map[string]any, len(b.Commands))}
	for i, command := range b.Commands {
		all.Replies[i] = s.one(ctx, command)
	}
	return all, nil
}

// one carries out one command of a batch.
func (s *Server) one(ctx context.Context, command map[string]json.RawMessage) map[string]any {
	for name, text := range command {
		m, ok := methods[name]
		if !ok || len(command) > 1 {
			break
		}
		began := time.Now()
		result, err := s.call(ctx, name, m, text)
		_, e := s.refusal(ctx, err)
		s.counts.called(name, began, e)
		if e != nil {
			return map[string]any{"error": e}
		}
		return map[string]any{name: result}
	}
	return map[string]any{"error": &apiError{wire.ErrBadRequest.Code, "bad request: a command has one member, a method's name and its request"}}
}

// allowedAPI answers for those who may not use the API. A page of another
// origin may not even without a key: the browser of a developer is inside.
func (s *Server) allowedAPI(w http.ResponseWriter, r *http.Request) bool {
	if !s.allowedOrigin(r) {
		s.refused(r, foreignOrigin)
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
	// Digests have one length: the comparison tells nothing of the key's. It
	// costs less than to read the request, so guesses are not counted by address:
	// a neighbour's would lock out the backend.
	got := sha256.Sum256([]byte(key))
	if s.config.APIKey == "" || subtle.ConstantTimeCompare(got[:], s.apiKey[:]) != 1 {
		s.refused(r, badKey)
		w.Header().Set("WWW-Authenticate", "apikey")
		answer(w, http.StatusUnauthorized, apiReply{Error: &apiError{101, "unauthorized: the API key in X-API-Key is missing or wrong"}})
		return false
	}
	return true
}

// refusal is what a caller is told of err. The log has what a caller is not told.
func (s *Server) refusal(ctx context.Context, err error) (status int, e *apiError) {
	status, e = explain(err)
	if status == http.StatusInternalServerError {
		s.config.Logger.LogAttrs(ctx, slog.LevelError, "API call failed", slog.String("error", err.Error()))
	}
	return status, e
}

// explain puts err into the API's words; nothing if it is nil. What the API
// understood and cannot do has status 200, where Centrifugo's libraries look for
// the code; what is wrong with a request itself, or with the server, has a status
// of its own.
func explain(err error) (status int, e *apiError) {
	var tooLong *http.MaxBytesError
	var known *wire.Error
	switch {
	case err == nil:
		return http.StatusOK, nil
	case errors.As(err, &tooLong):
		return http.StatusRequestEntityTooLarge, &apiError{107, fmt.Sprintf("bad request: the body is longer than %d bytes", tooLong.Limit)}
	case errors.Is(err, body.ErrTimeout):
		return http.StatusRequestTimeout, &apiError{107, err.Error()}
	case errors.As(err, &known):
		return http.StatusOK, &apiError{known.Code, known.Message}
	case errors.Is(err, surewire.ErrTooLarge):
		return http.StatusRequestEntityTooLarge, &apiError{107, err.Error()}
	case errors.Is(err, surewire.ErrUnknownChannel):
		return http.StatusOK, &apiError{wire.ErrUnknownChannel.Code, err.Error()}
	case errors.Is(err, surewire.ErrBreach):
		return http.StatusOK, &apiError{103, "permission denied: " + err.Error()}
	case errors.Is(err, body.ErrBad), errors.Is(err, surewire.ErrChannel), errors.Is(err, surewire.ErrRepaired), errors.Is(err, surewire.ErrInvalid):
		return http.StatusBadRequest, &apiError{107, err.Error()}
	case errors.Is(err, surewire.ErrBusy), errors.Is(err, surewire.ErrUnavailable),
		errors.Is(err, surewire.ErrUnknown), errors.Is(err, surewire.ErrClosed):
		return http.StatusServiceUnavailable, &apiError{100, err.Error()}
	}
	return http.StatusInternalServerError, &apiError{100, "internal server error"}
}

// answer writes v as the body.
func answer(w http.ResponseWriter, status int, v any) {
	text, _ := surejson.Marshal(v)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(append(text, '\n'))
}
