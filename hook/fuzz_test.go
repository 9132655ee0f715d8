package hook

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/wire"
)

// Whatever a backend answers, a call ends in a refusal within the protocol's
// bounds and alters nothing, or gives JSON and times that a reply can hold; and
// nobody connects without a result.
func FuzzAnswer(f *testing.F) {
	for _, a := range answers {
		f.Add([]byte(a.answer))
	}
	f.Add([]byte(`{"result":{"expire_at":1e3,"subs":{"":{}}},"ERROR":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var answer string
		c := newClient(t, Config{Retries: -1, OpenAfter: 1000, Transport: backend(func(*http.Request) (*http.Response, error) { return says(200, answer), nil })})
		answer = string(body)
		for event, call := range calls {
			got, err := call(t.Context(), c)
			if fault := faultIn(event, got, err); fault != nil {
				t.Errorf("%s answers %q: %v", event, body, fault)
			}
			if s, ok := got.(access.Session); ok && err == nil && event == "connect" && !hasResult(body) {
				t.Errorf("%q connects %+v", body, s)
			}
		}
	})
}

func hasResult(body []byte) bool {
	var members struct{ Result json.RawMessage }
	return json.Unmarshal(body, &members) == nil && len(members.Result) > 0 && string(members.Result) != "null"
}

// faultIn returns what is wrong with what a call of event gives, nil for nothing.
func faultIn(event string, got any, err error) error {
	var refused *wire.Error
	var bye surewire.Disconnect
	switch {
	case errors.As(err, &refused):
		if refused.Code < 100 || refused.Code > 1999 || !utf8.ValidString(refused.Message) {
			return fmt.Errorf("refused with %+v", *refused)
		}
	case errors.As(err, &bye):
		if bye.Code < 3000 || bye.Code > 4999 || len(bye.Reason) > 123 || !utf8.ValidString(bye.Reason) {
			return fmt.Errorf("disconnected with %+v", bye)
		}
	case err != nil:
		return err
	}
	if err != nil && !reflect.DeepEqual(got, none(event)) {
		return fmt.Errorf("beside %v it gives %+v", err, got)
	}
	switch got := got.(type) {
	case access.Session:
		for channel, g := range got.Subs {
			if err := faultOf(g.Expires, g.Info, g.Data); err != nil {
				return fmt.Errorf("%s: %w", channel, err)
			}
		}
		return faultOf(got.Expires, got.Info, got.Data)
	case access.Grant:
		return faultOf(got.Expires, got.Info, got.Data)
	case surewire.Publication:
		return faultOf(time.Time{}, json.RawMessage(got.Data))
	}
	return faultOf(time.Time{}, got)
}

func faultOf(expires time.Time, values ...any) error {
	if expires.Year() > 9999 || expires.Before(time.Unix(0, 0)) && !expires.IsZero() {
		return fmt.Errorf("it expires at %v", expires)
	}
	for _, v := range values {
		if text, ok := v.(json.RawMessage); v != nil && (!ok || !json.Valid(text) || !utf8.Valid(text)) {
			return fmt.Errorf("a value is %#v", v)
		}
	}
	return nil
}
