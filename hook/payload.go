package hook

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/wire"
)

// A caller begins every request.
type caller struct {
	Client    string `json:"client"`
	Transport string `json:"transport"`
	Protocol  string `json:"protocol"`
	Encoding  string `json:"encoding"`
}

func from(client string) caller { return caller{client, "websocket", "json", "json"} }

type connectRequest struct {
	caller
	Data    json.RawMessage `json:"data,omitempty"`
	Name    string          `json:"name,omitempty"`
	Version string          `json:"version,omitempty"`
}

type refreshRequest struct {
	caller
	User string `json:"user"`
}

type subscribeRequest struct {
	caller
	User    string          `json:"user"`
	Channel string          `json:"channel"`
	Token   string          `json:"token,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"`
}

type subRefreshRequest struct {
	caller
	User    string `json:"user"`
	Channel string `json:"channel"`
}

type publishRequest struct {
	caller
	User    string          `json:"user"`
	Channel string          `json:"channel"`
	Data    json.RawMessage `json:"data,omitempty"`
}

type rpcRequest struct {
	caller
	User   string          `json:"user"`
	Method string          `json:"method,omitempty"`
	Data   json.RawMessage `json:"data,omitempty"`
}

type messageRequest struct {
	caller
	User string          `json:"user"`
	Data json.RawMessage `json:"data,omitempty"`
}

// A boolValue tells false from nothing.
type boolValue struct {
	Value bool `json:"value"`
}

type grantOptions struct {
	ExpireAt int64           `json:"expire_at"`
	Info     json.RawMessage `json:"info"`
	B64Info  string          `json:"b64info"`
	Data     json.RawMessage `json:"data"`
	B64Data  string          `json:"b64data"`
	Override struct {
		Presence  *boolValue `json:"presence"`
		JoinLeave *boolValue `json:"join_leave"`
	} `json:"override"`
}

type connectResult struct {
	User     string                  `json:"user"`
	ExpireAt int64                   `json:"expire_at"`
	Info     json.RawMessage         `json:"info"`
	B64Info  string                  `json:"b64info"`
	Data     json.RawMessage         `json:"data"`
	B64Data  string                  `json:"b64data"`
	Channels []string                `json:"channels"`
	Subs     map[string]grantOptions `json:"subs"`
}

type refreshResult struct {
	Expired  bool            `json:"expired"`
	ExpireAt int64           `json:"expire_at"`
	Info     json.RawMessage `json:"info"`
	B64Info  string          `json:"b64info"`
}

type publishResult struct {
	Data           json.RawMessage   `json:"data"`
	B64Data        string            `json:"b64data"`
	SkipHistory    bool              `json:"skip_history"`
	Tags           map[string]string `json:"tags"`
	IdempotencyKey string            `json:"idempotency_key"`
}

type rpcResult struct {
	Data    json.RawMessage `json:"data"`
	B64Data string          `json:"b64data"`
}

// An answer is what a backend says, with a result of type R.
type answer[R any] struct {
	Result *R `json:"result"`
	Error  *struct {
		Code      int64  `json:"code"`
		Message   string `json:"message"`
		Temporary bool   `json:"temporary"`
	} `json:"error"`
	Disconnect *struct {
		Code   int64  `json:"code"`
		Reason string `json:"reason"`
	} `json:"disconnect"`
}

var errShape = errors.New("the answer is not a JSON object in UTF-8")

// checkShape is what every answer must be, whatever event it is of.
func checkShape(body []byte) error {
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' || !utf8.Valid(body) || !json.Valid(body) {
		return errShape
	}
	return nil
}

// decode reads a body that has the shape of an answer. A refusal is the
// [*wire.Error] or [surewire.Disconnect] that the backend wants; any other error
// says what is wrong with the answer, without quoting it. A nil result means
// that there is none.
func decode[R any](body []byte) (*R, error) {
	var a answer[R]
	if err := json.Unmarshal(body, &a); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return nil, fmt.Errorf("%s, at offset %d of the answer, is no %v", wrong.Field, wrong.Offset, wrong.Type)
		}
		return nil, errShape
	}
	switch {
	case a.Disconnect != nil:
		if a.Disconnect.Code < 3000 || a.Disconnect.Code > 4999 {
			return nil, fmt.Errorf("disconnect.code %d is not within 3000 and 4999", a.Disconnect.Code)
		}
		return nil, surewire.Disconnect{Code: uint16(a.Disconnect.Code), Reason: clip(a.Disconnect.Reason, maxReason)}
	case a.Error != nil:
		if a.Error.Code < 100 || a.Error.Code > 1999 {
			return nil, fmt.Errorf("error.code %d is not within 100 and 1999", a.Error.Code)
		}
		return nil, &wire.Error{Code: uint32(a.Error.Code), Message: a.Error.Message, Temporary: a.Error.Temporary}
	case a.Result == nil:
		return nil, checkEmpty(body)
	}
	return a.Result, nil
}

// checkEmpty tells an answer that says yes in the fewest words from one that
// speaks of something else, such as {"detail": "Not authenticated"}.
func checkEmpty(body []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return errShape
	}
	for _, name := range [...]string{"result", "error", "disconnect"} {
		if _, ok := members[name]; ok {
			return nil
		}
	}
	if len(members) > 0 {
		return errors.New("the answer has neither a result nor an error nor a disconnect")
	}
	return nil
}

// maxReason is how long the reason of a [surewire.Disconnect] may be, in bytes.
const maxReason = 123

// clip returns as many whole characters of s as n bytes hold.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// value returns what a backend gives as JSON, or as JSON in base64, which then
// counts alone. It is nil for null and for nothing.
func value(name string, plain json.RawMessage, b64 string) (json.RawMessage, error) {
	if b64 == "" {
		if string(plain) == "null" {
			return nil, nil
		}
		return plain, nil
	}
	data, err := base64.StdEncoding.DecodeString(b64)
	if err != nil {
		return nil, fmt.Errorf("result.b64%s is not base64", name)
	}
	if !json.Valid(data) || !utf8.Valid(data) {
		return nil, fmt.Errorf("result.b64%s is base64 of what is not JSON", name)
	}
	return data, nil
}

// something returns v as a value that is nil where there is none.
func something(v json.RawMessage) any {
	if len(v) == 0 {
		return nil
	}
	return v
}

// maxExpiry is the end of the year 9999. Milliseconds in place of seconds are
// beyond it.
const maxExpiry = 253402300799

// expiry returns the time of an expire_at; the zero time for 0, which is never.
func expiry(seconds int64) (time.Time, error) {
	switch {
	case seconds < 0 || seconds > maxExpiry:
		return time.Time{}, errors.New("expire_at is not a time in Unix seconds")
	case seconds == 0:
		return time.Time{}, nil
	}
	return time.Unix(seconds, 0), nil
}

// grant returns the grant that o makes of one that would be without it.
func (o *grantOptions) grant(g access.Grant) (access.Grant, error) {
	info, err := value("info", o.Info, o.B64Info)
	if err != nil {
		return access.Grant{}, err
	}
	data, err := value("data", o.Data, o.B64Data)
	if err != nil {
		return access.Grant{}, err
	}
	expires, err := expiry(o.ExpireAt)
	if err != nil {
		return access.Grant{}, err
	}
	if len(info) > 0 {
		g.Info = info
	}
	if len(data) > 0 {
		g.Data = data
	}
	if !expires.IsZero() {
		g.Expires = expires
	}
	if p := o.Override.Presence; p != nil {
		g.Presence = p.Value
	}
	if j := o.Override.JoinLeave; j != nil {
		g.Joins = j.Value
	}
	return g, nil
}
