package gate_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/auth"
	"github.com/surewire/surewire/gate"
	"github.com/surewire/surewire/hook"
	"github.com/surewire/surewire/limit"
	"github.com/surewire/surewire/namespace"
	"github.com/surewire/surewire/wire"
)

var secret = auth.Secret("a secret of at least thirty-two bytes, for tests")

// A bench is a gate and who signs tokens for it.
type bench struct {
	*gate.Gate
	t       *testing.T
	signer  *auth.Signer
	revoked *auth.Revocations
	log     *logbook
}

type logbook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logbook) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func newBench(t *testing.T, c gate.Config) *bench {
	t.Helper()
	b := &bench{t: t, revoked: auth.NewRevocations(auth.RevocationsConfig{}), log: new(logbook)}
	c.Logger = slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c.Revocations = b.revoked
	if c.Tokens == nil {
		v, err := auth.New(auth.Config{Keys: []auth.Key{{Secret: secret}}, Audience: "us", Revocations: b.revoked})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(v.Close)
		c.Tokens = v
	}
	var err error
	if b.Gate, err = gate.New(c); err != nil {
		t.Fatal(err)
	}
	b.signer = b.sign(secret, "us")
	return b
}

func (b *bench) sign(secret auth.Secret, audience string) *auth.Signer {
	s, err := auth.NewSigner(auth.SignerConfig{Secret: secret, Audience: audience})
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// signed returns a token, or fails.
func (b *bench) signed(token string, err error) string {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	return token
}

func (b *bench) connection(user string) string {
	return b.signed(b.signer.Connection(auth.Connection{Token: auth.Token{User: user, ID: "id-" + user, ValidUntil: time.Now().Add(time.Hour)}}))
}

func (b *bench) subscription(user, channel string) string {
	return b.signed(b.signer.Subscription(auth.Subscription{Token: auth.Token{User: user, ValidUntil: time.Now().Add(time.Hour)}, Channel: channel}))
}

// code is what a client sees of err: 0 where it may.
func code(err error) int {
	var d surewire.Disconnect
	var e *wire.Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &d):
		return int(d.Code)
	case errors.As(err, &e):
		return int(e.Code)
	}
	return -1
}

// Who connects, by each kind of token, on each kind of server.
func TestConnect(t *testing.T) {
	closed := newBench(t, gate.Config{})
	open := newBench(t, gate.Config{Anonymous: true})
	keyless, err := gate.New(gate.Config{Anonymous: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	hour := time.Now().Add(time.Hour)
	good := auth.Token{User: "42", ValidUntil: hour}
	tokens := map[string]string{
		"none":           "",
		"good":           closed.connection("42"),
		"without a name": closed.connection(""),
		"expired":        closed.signed(closed.signer.Connection(auth.Connection{Token: auth.Token{User: "42", ValidUntil: time.Now().Add(-time.Hour), IssuedAt: time.Now().Add(-2 * time.Hour)}})),
		"other audience": closed.signed(closed.sign(secret, "them").Connection(auth.Connection{Token: good})),
		"other secret":   closed.signed(closed.sign(auth.Secret("another secret of at least thirty-two bytes, for tests"), "us").Connection(auth.Connection{Token: good})),
		"of a channel":   closed.subscription("42", "chat:1"),
		"unsigned":       "eyJhbGciOiJub25lIn0.eyJzdWIiOiI0MiIsImF1ZCI6InVzIn0.",
		"garbage":        "\x00not a token",
		"a ticket":       gate.TicketPrefix + "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
		"huge":           strings.Repeat("a", 1<<20),
		"of strange sub": closed.signed(closed.signer.Connection(auth.Connection{Token: good, Subs: map[string]auth.Options{"nope:1": {}}})),
	}
	want := map[string][3]int{ // on a closed server, on one that lets anonymous clients in, on one without a key that does
		"none": {3507, 0, 0}, "good": {0, 0, 3500}, "without a name": {3500, 0, 3500}, "expired": {109, 109, 3500},
		"other audience": {3500, 3500, 3500}, "other secret": {3500, 3500, 3500}, "of a channel": {3500, 3500, 3500},
		"unsigned": {3500, 3500, 3500}, "garbage": {3500, 3500, 3500}, "a ticket": {3500, 3500, 3500}, "huge": {3500, 3500, 3500},
		"of strange sub": {3500, 3500, 3500},
	}
	for name, token := range tokens {
		for i, g := range []*gate.Gate{closed.Gate, open.Gate, keyless} {
			s, err := g.Connect(t.Context(), access.ConnectRequest{Token: token})
			if got := code(err); got != want[name][i] {
				t.Errorf("server %d, token %s: code %d (%v), want %d", i, name, got, err, want[name][i])
			}
			if err != nil && (s.User != "" || s.Subs != nil) {
				t.Errorf("server %d, token %s: a session came with the refusal: %+v", i, name, s)
			}
			if err == nil && name == "good" && s.User != "42" {
				t.Errorf("server %d: the user is %q", i, s.User)
			}
		}
	}
	for _, part := range tokens {
		if len(part) > 20 && strings.Contains(closed.log.text(), part) {
			t.Errorf("a token is in the log")
		}
	}
}

// rules are those of the tables below.
var rules = namespace.Set{
	"":       {},
	"open":   {Subscribe: namespace.Anyone, Publish: namespace.Anyone, Presence: namespace.Anyone, History: namespace.Anyone},
	"users":  {Subscribe: namespace.User, Publish: namespace.User, Presence: namespace.User, History: namespace.User},
	"read":   {Subscribe: namespace.User, Publish: namespace.Subscriber, Presence: namespace.Subscriber, History: namespace.Subscriber},
	"token":  {Subscribe: namespace.Token, Publish: namespace.Subscriber},
	"shut":   {},
	"mostly": {Subscribe: namespace.Anyone},
}

// Every operation, of every kind of client, in every kind of channel. What is not
// listed is refused with 103, and what is of no namespace with 102.
func TestOperations(t *testing.T) {
	b := newBench(t, gate.Config{Anonymous: true, Namespaces: rules})
	channels := []string{
		"plain", "open:1", "users:1", "read:1", "token:1", "shut:1", "mostly:1", "nope:1",
		"open:1#42", "users:1#42,43", "token:1#42", "shut:1#42", "open:1#", "#42", "nope:1#42",
	}
	// For each client what it may do: s to subscribe, t with a token that names
	// the channel, p to publish, P when it reads the channel too, and so on for
	// r (presence) and h (history).
	allowed := map[string]map[string]string{
		"": {
			"open:1": "stpPrRhH", "mostly:1": "st", "token:1": "tP", "read:1": "PRH",
		},
		"42": {
			"open:1": "stpPrRhH", "users:1": "stpPrRhH", "read:1": "stPRH", "token:1": "tP", "mostly:1": "st",
			"open:1#42": "stpPrRhH", "users:1#42,43": "stpPrRhH", "token:1#42": "stP",
		},
		"43": {
			"open:1": "stpPrRhH", "users:1": "stpPrRhH", "read:1": "stPRH", "token:1": "tP", "mostly:1": "st", "users:1#42,43": "stpPrRhH",
		},
	}
	for user, may := range allowed {
		c := access.Client{ID: "c-" + user, User: user}
		for _, channel := range channels {
			for op, try := range b.operations(c, channel) {
				want := 103
				switch {
				case strings.Contains(may[channel], op):
					want = 0
				case strings.HasPrefix(channel, "nope:"):
					want = 102
				}
				if got := code(try()); got != want {
					t.Errorf("user %q, channel %s, operation %s: code %d, want %d", user, channel, op, got, want)
				}
			}
		}
	}
	// The zero Config lets nobody do anything.
	none := newBench(t, gate.Config{})
	for _, channel := range channels {
		for op, try := range none.operations(access.Client{ID: "c", User: "42"}, channel) {
			if got := code(try()); got != 102 {
				t.Errorf("without namespaces, channel %s, operation %s: code %d", channel, op, got)
			}
		}
	}
}

// operations are what c can try, by their letters.
func (b *bench) operations(c access.Client, channel string) map[string]func() error {
	subscribe := func(token string) error {
		_, err := b.Subscribe(b.t.Context(), c, access.SubscribeRequest{Channel: channel, Token: token})
		return err
	}
	all := map[string]func() error{
		"s": func() error { return subscribe("") },
		"t": func() error { return subscribe(b.subscription(c.User, channel)) },
	}
	for letter, a := range map[string]access.Action{"p": access.Publish, "r": access.Presence, "h": access.History} {
		for name, reads := range map[string]bool{letter: false, strings.ToUpper(letter): true} {
			all[name] = func() error {
				return b.Allow(b.t.Context(), c, access.ActionRequest{Action: a, Channel: channel, Subscribed: reads})
			}
		}
	}
	return all
}

// A subscription token is good for one user, one channel, one connection if it
// says so, and its time.
func TestSubscriptionTokens(t *testing.T) {
	b := newBench(t, gate.Config{Namespaces: rules})
	c := access.Client{ID: "c-1", User: "42"}
	hour := time.Now().Add(time.Hour)
	for name, x := range map[string]struct {
		token string
		want  int
	}{
		"its own":              {b.subscription("42", "token:1"), 0},
		"another user's":       {b.subscription("43", "token:1"), 103},
		"another channel's":    {b.subscription("42", "token:2"), 103},
		"a connection token":   {b.connection("42"), 103},
		"garbage":              {"x", 103},
		"its connection's":     {b.signed(b.signer.Subscription(auth.Subscription{Token: auth.Token{User: "42", ValidUntil: hour}, Channel: "token:1", Client: "c-1"})), 0},
		"another connection's": {b.signed(b.signer.Subscription(auth.Subscription{Token: auth.Token{User: "42", ValidUntil: hour}, Channel: "token:1", Client: "c-2"})), 103},
		"expired": {b.signed(b.signer.Subscription(auth.Subscription{
			Token: auth.Token{User: "42", ValidUntil: time.Now().Add(-time.Hour), IssuedAt: time.Now().Add(-2 * time.Hour)}, Channel: "token:1"})), 109},
	} {
		g, err := b.Subscribe(t.Context(), c, access.SubscribeRequest{Channel: "token:1", Token: x.token})
		if got := code(err); got != x.want {
			t.Errorf("%s: code %d (%v), want %d", name, got, err, x.want)
		}
		if err == nil && (g.Expires.IsZero() || g.Renews) {
			t.Errorf("%s: the grant is %+v: it must end with the token", name, g)
		}
	}
}

func TestRevocation(t *testing.T) {
	b := newBench(t, gate.Config{Namespaces: rules})
	ada, bob := b.connection("ada"), b.connection("bob")
	s, err := b.Connect(t.Context(), access.ConnectRequest{Token: ada})
	if err != nil || s.TokenID != "id-ada" || s.TokenTime.IsZero() {
		t.Fatalf("%+v, %v", s, err)
	}
	client := access.Client{User: "ada", TokenID: s.TokenID, TokenTime: s.TokenTime}
	if b.Revoked(client) {
		t.Error("revoked before anything was")
	}
	for name, r := range map[string]auth.Revocation{
		"by ID": {ID: "id-ada"}, "all of a user": {User: "ada"}, "before a time": {User: "ada", Before: time.Now().Add(time.Minute)},
	} {
		if err := b.revoked.Revoke(r); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Connect(t.Context(), access.ConnectRequest{Token: ada}); code(err) != 3500 || !b.Revoked(client) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := b.Connect(t.Context(), access.ConnectRequest{Token: bob}); err != nil {
			t.Errorf("%s: bob: %v", name, err)
		}
		b.revoked.Withdraw("ada", "id-ada")
	}
	if _, err := b.Connect(t.Context(), access.ConnectRequest{Token: ada}); err != nil {
		t.Errorf("after it was withdrawn: %v", err)
	}
}

func TestTickets(t *testing.T) {
	b := newBench(t, gate.Config{Namespaces: rules, Tickets: auth.NewTickets(auth.TicketsConfig{})})
	ticket, err := b.Ticket(t.Context(), b.connection("ada"), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Connect(t.Context(), access.ConnectRequest{Token: ticket})
	if err != nil || s.User != "ada" {
		t.Fatalf("%+v, %v", s, err)
	}
	if _, err := b.Connect(t.Context(), access.ConnectRequest{Token: ticket}); code(err) != 3500 {
		t.Errorf("a ticket that was used: %v", err)
	}
	if _, err := b.Ticket(t.Context(), "x", time.Second); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("a ticket for no token: %v", err)
	}
	if _, err := newBench(t, gate.Config{}).Ticket(t.Context(), b.connection("ada"), time.Second); code(err) != 108 {
		t.Errorf("where none are accepted: %v", err)
	}
}

// What a namespace says of publications holds, whoever publishes.
func TestPrepare(t *testing.T) {
	b := newBench(t, gate.Config{
		Namespaces: namespace.Set{"a": {MaxPublication: 10, Ephemeral: true}, "s": {}},
		Schemas:    map[string]gate.Schema{"s": schemaFunc(func(data []byte) error { return errors.New(`at "/x": no`) })},
	})
	for name, c := range map[string]struct {
		channel, data string
		want          error
	}{
		"short":        {"a:1", `"12345"`, nil},
		"long":         {"a:1", `"1234567890"`, surewire.ErrTooLarge},
		"no such":      {"b:1", `1`, surewire.ErrUnknownChannel},
		"no name":      {"x", `1`, surewire.ErrUnknownChannel},
		"not as it is": {"s:1", `1`, surewire.ErrInvalid},
	} {
		p := surewire.Publication{Data: []byte(c.data)}
		if err := b.Prepare(t.Context(), c.channel, &p); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		} else if err == nil && !p.Ephemeral {
			t.Errorf("%s: it is to be kept", name)
		}
	}
	if err := b.Known("a:1"); err != nil {
		t.Error(err)
	}
	if err := b.Known("b:1"); !errors.Is(err, surewire.ErrUnknownChannel) || !strings.Contains(err.Error(), `"b"`) {
		t.Error(err)
	}
}

type schemaFunc func([]byte) error

func (f schemaFunc) Check(data []byte) error { return f(data) }

func TestPublishRate(t *testing.T) {
	b := newBench(t, gate.Config{Namespaces: namespace.Set{
		"a": {Publish: namespace.Anyone, PublishRate: limit.Rate{PerSecond: 0.01, Burst: 2}}, "b": {Publish: namespace.Anyone},
	}})
	for _, c := range []struct {
		client, channel string
		want            int
	}{{"1", "a:1", 0}, {"1", "a:2", 0}, {"1", "a:1", 111}, {"2", "a:1", 0}, {"1", "b:1", 0}, {"1", "b:1", 0}, {"1", "b:1", 0}} {
		err := b.Allow(t.Context(), access.Client{ID: c.client}, access.ActionRequest{Action: access.Publish, Channel: c.channel})
		if got := code(err); got != c.want {
			t.Errorf("%+v: code %d", c, got)
		}
	}
}

// Backends have the last word where they are configured, and are not asked about
// channels that are for others.
func TestBackends(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ User, Channel string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		mu.Lock()
		asked[r.URL.Path]++
		mu.Unlock()
		switch {
		case r.URL.Path == "/connect":
			fmt.Fprintf(w, `{"result":{"user":"7","expire_at":%d,"channels":["users:x"]}}`, time.Now().Add(time.Hour).Unix())
		case r.URL.Path == "/refresh":
			fmt.Fprint(w, `{"result":{"expired":true}}`)
		case strings.HasSuffix(in.Channel, "no"):
			fmt.Fprint(w, `{"error":{"code":403,"message":"no"}}`)
		case r.URL.Path == "/publish":
			fmt.Fprint(w, `{"result":{"data":"changed"}}`)
		default:
			fmt.Fprintf(w, `{"result":{"expire_at":%d}}`, time.Now().Add(time.Hour).Unix())
		}
	}))
	defer web.Close()
	at := func(path string) *hook.Client {
		c, err := hook.New(hook.Config{URL: web.URL + path, Defaults: gate.Defaults(rules)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	b := newBench(t, gate.Config{Namespaces: rules, Hooks: gate.Hooks{
		Connect: at("/connect"), Refresh: at("/refresh"), Subscribe: map[string]*hook.Client{"shut": at("/subscribe")}, Publish: map[string]*hook.Client{"open": at("/publish")},
	}})
	s, err := b.Connect(t.Context(), access.ConnectRequest{Client: access.Client{ID: "1"}})
	if err != nil || s.User != "7" || !s.Renews || !s.Subs["users:x"].Renews || !s.Subs["users:x"].Presence {
		t.Errorf("connect: %+v, %v", s, err)
	}
	if s, err := b.Connect(t.Context(), access.ConnectRequest{Client: access.Client{ID: "1"}, Token: b.connection("ada")}); err != nil || s.User != "ada" {
		t.Errorf("with a token: %+v, %v", s, err)
	}
	c := access.Client{ID: "1", User: "7"}
	if _, err := b.Connect(t.Context(), access.ConnectRequest{Client: c, Refresh: true}); !errors.Is(err, surewire.DisconnectExpired) {
		t.Errorf("refresh: %v", err)
	}
	for channel, want := range map[string]int{"shut:1": 0, "shut:no": 403, "shut:1#8": 103} {
		g, err := b.Subscribe(t.Context(), c, access.SubscribeRequest{Channel: channel})
		if code(err) != want || err == nil && !g.Renews {
			t.Errorf("%s: %+v, %v", channel, g, err)
		}
	}
	for token, want := range map[string]int{"forged": 103, b.subscription("7", "shut:no"): 0, b.subscription("8", "shut:no"): 103} {
		if _, err := b.Subscribe(t.Context(), c, access.SubscribeRequest{Channel: "shut:no", Token: token}); code(err) != want {
			t.Errorf("with a token, which the backend does not see: %v, want %d", err, want)
		}
	}
	h := b.Handlers()
	if h.RPC != nil || h.Message != nil || h.Publish == nil {
		t.Error("handlers are there that no backend answers, or are not")
	}
	p := surewire.Publication{Data: []byte(`1`)}
	if err := h.Publish(t.Context(), c, "open:1", &p); err != nil || string(p.Data) != `"changed"` {
		t.Errorf("publish: %s, %v", p.Data, err)
	}
	if err := h.Publish(t.Context(), c, "open:no", &p); code(err) != 403 {
		t.Errorf("publish: %v", err)
	}
	if err := h.Publish(t.Context(), c, "users:1", &p); err != nil {
		t.Errorf("publish without a hook: %v", err)
	}
	want := map[string]int{"/connect": 1, "/refresh": 1, "/subscribe": 2, "/publish": 2}
	if mu.Lock(); !maps.Equal(asked, want) {
		t.Errorf("backends were asked %v, want %v", asked, want)
	}
	mu.Unlock()
	if err := b.revoked.Revoke(auth.Revocation{User: "7"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Connect(t.Context(), access.ConnectRequest{Client: access.Client{ID: "1"}}); code(err) != 3500 {
		t.Errorf("a user that was revoked, by the backend's word: %v", err)
	}
}

// The name of a method says whose backend answers, as that of a channel does.
func TestMethods(t *testing.T) {
	at := func(name string) *hook.Client {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"result":{"data":%q}}`, name)
		}))
		t.Cleanup(web.Close)
		c, err := hook.New(hook.Config{URL: web.URL})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	for _, rest := range []*hook.Client{nil, at("rest")} {
		b := newBench(t, gate.Config{Namespaces: rules, Hooks: gate.Hooks{RPC: rest, Methods: map[string]*hook.Client{"open": at("open")}}})
		for method, want := range map[string]string{"open:sum": `"open"`, "sum": `"rest"`, "users:sum": `"rest"`, "open": `"rest"`} {
			answer, err := b.Handlers().RPC(t.Context(), access.Client{ID: "1"}, method, []byte(`1`))
			if rest == nil && want == `"rest"` {
				if code(err) != 104 {
					t.Errorf("%s, which no backend answers: %v, %v", method, answer, err)
				}
			} else if err != nil || fmt.Sprintf("%s", answer) != want {
				t.Errorf("%s: %s, %v, want %s", method, answer, err, want)
			}
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []namespace.Options{{Subscribe: namespace.Subscriber}, {Publish: namespace.Token}, {History: namespace.Token}, {HistorySize: -1}} {
		if _, err := gate.New(gate.Config{Namespaces: namespace.Set{"a": o}}); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}
