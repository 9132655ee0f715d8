package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/wire"
)

func message(offset uint64, data string) *surewire.Message {
	m := &surewire.Message{Position: surewire.Position{Epoch: "e", Offset: offset}, Time: time.UnixMilli(1700000000123)}
	m.Data = []byte(data)
	return m
}

// The frames as the specification (client.proto of the pinned protocol module)
// and the centrifuge SDKs have them, to the byte.
func TestGoldenReplies(t *testing.T) {
	tagged := message(7, `{"a":1}`)
	tagged.Tags = map[string]string{"k": "v"}
	ephemeral := message(0, `"typing"`)
	ada := surewire.ClientInfo{Client: "id", User: "ada", Conn: []byte(`{"n":1}`), Chan: []byte(`2`)}
	published, join, leave := message(7, `1`), &surewire.Message{}, &surewire.Message{}
	published.Info, join.Info, leave.Info = &ada, &ada, &ada
	join.Kind, leave.Kind = surewire.KindJoin, surewire.KindLeave
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"ping", wire.Ping, `{}`},
		{"publication", wire.AppendMessage(nil, "chat:1", message(7, `{"a":1}`)),
			`{"push":{"channel":"chat:1","pub":{"data":{"a":1},"offset":7,"time":1700000000123}}}`},
		{"publication with tags", wire.AppendMessage(nil, "chat:1", tagged),
			`{"push":{"channel":"chat:1","pub":{"data":{"a":1},"offset":7,"tags":{"k":"v"},"time":1700000000123}}}`},
		{"ephemeral publication", wire.AppendMessage(nil, "chat:1", ephemeral),
			`{"push":{"channel":"chat:1","pub":{"data":"typing","time":1700000000123}}}`},
		{"odd channel", wire.AppendMessage(nil, `a"b\c`, message(1, `null`)),
			`{"push":{"channel":"a\"b\\c","pub":{"data":null,"offset":1,"time":1700000000123}}}`},
		{"subscription ended", wire.AppendEnded(nil, "c", wire.InsufficientState),
			`{"push":{"channel":"c","unsubscribe":{"code":2500,"reason":"insufficient state"}}}`},
		{"error", wire.AppendError(nil, 3, wire.ErrPermissionDenied), `{"id":3,"error":{"code":103,"message":"permission denied"}}`},
		{"temporary error", wire.AppendError(nil, 3, wire.ErrInternal.With("x")),
			`{"id":3,"error":{"code":100,"message":"internal server error: x","temporary":true}}`},
		{"connected", wire.AppendConnected(nil, 1, wire.Connected{Client: "id", Version: "1", PingInterval: 25}),
			`{"id":1,"connect":{"client":"id","version":"1","ping":25,"pong":true}}`},
		{"subscribed", wire.AppendSubscribed(nil, 2, wire.Subscribed{Position: surewire.Position{Epoch: "e", Offset: 9}}),
			`{"id":2,"subscribe":{"recoverable":true,"epoch":"e","offset":9,"positioned":true}}`},
		{"recovered", wire.AppendSubscribed(nil, 2, wire.Subscribed{
			Position: surewire.Position{Epoch: "e", Offset: 7}, WasRecovering: true, Recovered: true,
			Publications: []*surewire.Message{message(8, `1`), message(9, `2`)},
		}), `{"id":2,"subscribe":{"recoverable":true,"epoch":"e","publications":[{"data":1,"offset":8,"time":1700000000123},` +
			`{"data":2,"offset":9,"time":1700000000123}],"recovered":true,"offset":7,"positioned":true,"was_recovering":true}}`},
		{"unsubscribed", wire.AppendUnsubscribed(nil, 4), `{"id":4,"unsubscribe":{}}`},
		{"publication of a client", wire.AppendMessage(nil, "c", published), `{"push":{"channel":"c","pub":{"data":1,` +
			`"info":{"user":"ada","client":"id","conn_info":{"n":1},"chan_info":2},"offset":7,"time":1700000000123}}}`},
		{"join", wire.AppendMessage(nil, "c", join),
			`{"push":{"channel":"c","join":{"info":{"user":"ada","client":"id","conn_info":{"n":1},"chan_info":2}}}}`},
		{"leave", wire.AppendMessage(nil, "c", leave),
			`{"push":{"channel":"c","leave":{"info":{"user":"ada","client":"id","conn_info":{"n":1},"chan_info":2}}}}`},
		{"connected, and more", wire.AppendConnected(nil, 1, wire.Connected{
			Client: "id", TTL: 1500 * time.Millisecond, Data: []byte(`{"a":1}`),
			Subs: map[string]wire.Subscribed{"u": {Position: surewire.Position{Epoch: "e", Offset: 9}, Data: []byte(`3`)}},
		}), `{"id":1,"connect":{"client":"id","expires":true,"ttl":2,"data":{"a":1},` +
			`"subs":{"u":{"recoverable":true,"epoch":"e","offset":9,"positioned":true,"data":3}}}}`},
		{"subscribed, and expires", wire.AppendSubscribed(nil, 2, wire.Subscribed{TTL: time.Minute, Data: []byte(`[]`)}),
			`{"id":2,"subscribe":{"expires":true,"ttl":60,"recoverable":true,"positioned":true,"data":[]}}`},
		{"presence", wire.AppendPresence(nil, 5, map[string]surewire.ClientInfo{"id": ada}),
			`{"id":5,"presence":{"presence":{"id":{"user":"ada","client":"id","conn_info":{"n":1},"chan_info":2}}}}`},
		{"nobody present", wire.AppendPresence(nil, 5, nil), `{"id":5,"presence":{"presence":{}}}`},
		{"presence in numbers", wire.AppendStats(nil, 5, wire.Stats{Clients: 3, Users: 2}), `{"id":5,"presence_stats":{"num_clients":3,"num_users":2}}`},
		{"history", wire.AppendHistory(nil, 5, surewire.History{
			Messages: []*surewire.Message{message(8, `1`)}, Head: surewire.Position{Epoch: "e", Offset: 8},
		}), `{"id":5,"history":{"publications":[{"data":1,"offset":8,"time":1700000000123}],"epoch":"e","offset":8}}`},
		{"answer to an rpc", wire.AppendRPC(nil, 5, []byte(`{"a":1}`)), `{"id":5,"rpc":{"data":{"a":1}}}`},
		{"refreshed", wire.AppendRefreshed(nil, 5, wire.Refreshed{TTL: time.Hour}), `{"id":5,"refresh":{"expires":true,"ttl":3600}}`},
		{"refreshed for ever", wire.AppendRefreshed(nil, 5, wire.Refreshed{}), `{"id":5,"refresh":{}}`},
		{"subscription refreshed", wire.AppendSubRefreshed(nil, 5, wire.Refreshed{TTL: time.Hour}), `{"id":5,"sub_refresh":{"expires":true,"ttl":3600}}`},
		{"message", wire.AppendSend(nil, []byte(`1`)), `{"push":{"message":{"data":1}}}`},
		{"subscription begun", wire.AppendBegun(nil, "u", wire.Subscribed{Position: surewire.Position{Epoch: "e", Offset: 9}}),
			`{"push":{"channel":"u","subscribe":{"recoverable":true,"epoch":"e","offset":9,"positioned":true}}}`},
		{"another expiry", wire.AppendExpiry(nil, wire.Refreshed{TTL: time.Hour}), `{"push":{"refresh":{"expires":true,"ttl":3600}}}`},
		{"published", wire.AppendPublished(nil, 5), `{"id":5,"publish":{}}`},
	} {
		if string(c.got) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, c.got, c.want)
		}
		for _, err := range wire.Replies(c.got) {
			if err != nil {
				t.Errorf("%s: cannot be read back: %v", c.name, err)
			}
		}
	}
}

// Frames as centrifuge-js sends them.
func TestGoldenCommands(t *testing.T) {
	for _, c := range []struct {
		frame string
		want  []wire.Command
	}{
		{`{}`, []wire.Command{{}}},
		{`{"connect":{"token":"t","data":{"x":1},"name":"js","version":"5"},"id":1}`,
			[]wire.Command{{ID: 1, Connect: &wire.Connect{Token: "t", Data: []byte(`{"x":1}`), Name: "js", Version: "5"}}}},
		{`{"connect":{"name":"js"},"id":1}` + "\n" + `{"subscribe":{"channel":"c","recover":true,"epoch":"e","offset":3,"flag":2},"id":2}`,
			[]wire.Command{
				{ID: 1, Connect: &wire.Connect{Name: "js"}},
				{ID: 2, Subscribe: &wire.Subscribe{Channel: "c", Recover: true, Flags: 2, Since: surewire.Position{Epoch: "e", Offset: 3}}},
			}},
		{`{"unsubscribe":{"channel":"c"},"id":3}`, []wire.Command{{ID: 3, Unsubscribe: &wire.Unsubscribe{Channel: "c"}}}},
		{`{"publish":{"channel":"c","data":[1,"ü\u00fc"]},"id":4}`,
			[]wire.Command{{ID: 4, Publish: &wire.Publish{Channel: "c", Data: []byte(`[1,"ü\u00fc"]`)}}}},
		{`{"history":{"channel":"c"},"id":5}`, []wire.Command{{ID: 5, History: &wire.History{Channel: "c"}}}},
		{`{"presence":{"channel":"c"},"id":5}`, []wire.Command{{ID: 5, Presence: &wire.Presence{Channel: "c"}}}},
		{`{"presence_stats":{"channel":"c"},"id":5}`, []wire.Command{{ID: 5, PresenceStats: &wire.PresenceStats{Channel: "c"}}}},
		{`{"rpc":{"method":"m"},"id":5}`, []wire.Command{{ID: 5, RPC: &wire.RPC{Method: "m"}}}},
		{`{"refresh":{"token":"m"},"id":5}`, []wire.Command{{ID: 5, Refresh: &wire.Refresh{Token: "m"}}}},
		{`{"sub_refresh":{"channel":"c","token":"m"},"id":5}`, []wire.Command{{ID: 5, SubRefresh: &wire.SubRefresh{Channel: "c", Token: "m"}}}},
		{`{"sub_refresh":{"channel":"c","type":1},"id":5}`, []wire.Command{{ID: 5, Other: "sub_refresh of keys"}}},
		{`{"send":{"data":1}}`, []wire.Command{{Send: &wire.Send{Data: []byte("1")}}}},
		{`{"history":{"channel":"c","limit":-1,"since":{"offset":7,"epoch":"e"},"reverse":true},"id":5}`, []wire.Command{{ID: 5,
			History: &wire.History{Channel: "c", Limit: -1, Since: &surewire.Position{Epoch: "e", Offset: 7}, Reverse: true}}}},
		{`{"connect":{"headers":{"a":"b"},"subs":{"u":{"recover":true,"epoch":"e","offset":7},"v":{}}},"id":1}`, []wire.Command{{ID: 1,
			Connect: &wire.Connect{Headers: map[string]string{"a": "b"}, Subs: map[string]surewire.Position{"u": {Epoch: "e", Offset: 7}}}}}},
		{`{"subscribe":{"channel":"c","join_leave":true},"id":2}`, []wire.Command{{ID: 2, Subscribe: &wire.Subscribe{Channel: "c", Joins: true}}}},
		{`{"ping":{},"id":5}`, []wire.Command{{ID: 5, Other: "ping"}}},
		{`{"subscribe":{"channel":"c","type":1},"id":2}`, []wire.Command{{ID: 2, Other: "subscribe of type map or poll"}}},
		{`{"id":9}`, []wire.Command{{ID: 9}}},
	} {
		var got []wire.Command
		for cmd, err := range wire.Commands([]byte(c.frame)) {
			if err != nil {
				t.Fatalf("%s: %v", c.frame, err)
			}
			got = append(got, cmd)
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.frame, got, c.want)
		}
	}
}

func TestPong(t *testing.T) {
	for _, c := range []struct {
		command wire.Command
		pong    bool
	}{
		{wire.Command{}, true}, {wire.Command{ID: 1}, false}, {wire.Command{Send: &wire.Send{}}, false},
		{wire.Command{Publish: &wire.Publish{}}, false},
	} {
		if got := c.command.Pong(); got != c.pong {
			t.Errorf("%+v: %v", c.command, got)
		}
	}
}

func TestBadFrames(t *testing.T) {
	for name, frame := range map[string]string{
		"empty": "", "text": "hello", "cut": `{"id":1`, "an array": `[1]`, "a number": `7`,
		"not UTF-8": "{\"id\":1,\"connect\":{\"name\":\"\xff\"}}", "a string for a number": `{"id":"1"}`,
		"too large a number": `{"id":4294967296}`, "a negative ID": `{"id":-1}`, "trailing": `{"id":1}{"id":2}`,
	} {
		var err error
		for _, err = range wire.Commands([]byte(frame)) {
		}
		if !errors.Is(err, wire.ErrFrame) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is decoded must not change when the transport reuses its buffer.
func TestCommandsDoNotAliasTheFrame(t *testing.T) {
	frame := []byte(`{"id":1,"connect":{"token":"token","name":"name","version":"v","data":{"a":"b"}}}` + "\n" +
		`{"id":2,"subscribe":{"channel":"channel","token":"token","epoch":"epoch","data":[1]}}` + "\n" +
		`{"id":3,"unsubscribe":{"channel":"channel"}}` + "\n" + `{"id":4,"publish":{"channel":"channel","data":{"a":"b"}}}`)
	collect := func(frame []byte) (out []wire.Command) {
		for c := range wire.Commands(frame) {
			out = append(out, c)
		}
		return out
	}
	want := collect([]byte(string(frame)))
	got := collect(frame)
	for i := range frame {
		frame[i] = 'x'
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("after the frame was overwritten: %+v", got)
	}
}

func FuzzCommands(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"id":1,"connect":{"token":"t","data":{"x":1}}}`, `{"id":2,"subscribe":{"channel":"c","recover":true,"offset":3}}`,
		`{"id":4,"publish":{"channel":"c","data":[1,"ü"]}}` + "\n" + `{"id":3,"unsubscribe":{"channel":"c"}}`, `{"id":1,`,
		`{"id":1,"publish":{"channel":"c","data":` + strings.Repeat("[", 2000) + `}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		for c, err := range wire.Commands(frame) {
			if err != nil {
				return
			}
			if c.Other != "" || c.Pong() {
				continue
			}
			again := wire.AppendCommand(nil, c)
			for d, err := range wire.Commands(again) {
				if err != nil || !reflect.DeepEqual(c, d) {
					t.Fatalf("%+v became %s, which is %+v, %v", c, again, d, err)
				}
			}
		}
	})
}

func FuzzReplies(f *testing.F) {
	f.Add(wire.AppendMessage(nil, "c", message(1, `{"a":1}`)))
	f.Add(wire.AppendSubscribed(nil, 2, wire.Subscribed{Publications: []*surewire.Message{message(1, `1`)}}))
	f.Add(append(wire.AppendError(nil, 3, wire.ErrInternal), "\n{}"...))
	f.Fuzz(func(t *testing.T, frame []byte) {
		for _, err := range wire.Replies(frame) {
			if err != nil && !errors.Is(err, wire.ErrFrame) {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkAppendMessage(b *testing.B) {
	m := message(7, `{"type":"agent_thinking","payload":{"thought":"`+strings.Repeat("x", 180)+`"}}`)
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = wire.AppendMessage(buf[:0], "chat:lobby", m)
	}
}

// A publication with nothing but data is written here, and one with more by the
// protocol's encoder: the two must agree on what they share.
func FuzzPlainPublications(f *testing.F) {
	f.Add("chat:1", `{"a":1}`, uint64(7), int64(1700000000123))
	f.Add("a\"b\\c<>&é\U0001f600", `null`, uint64(0), int64(0))
	f.Fuzz(func(t *testing.T, channel, data string, offset uint64, at int64) {
		if !json.Valid([]byte(data)) || surewire.CheckChannel(channel) != nil || at < 0 || at > 1<<50 {
			return
		}
		m := message(offset, data)
		m.Time = time.UnixMilli(at)
		got := wire.AppendMessage(nil, channel, m)
		tagged := *m
		tagged.Tags = map[string]string{"k": "v"}
		want := bytes.Replace(wire.AppendMessage(nil, channel, &tagged), []byte(`,"tags":{"k":"v"}`), nil, 1)
		if !bytes.Equal(got, want) {
			t.Errorf("got %s\nwant %s", got, want)
		}
	})
}

// What was missed is written here where it is plain, and else by the protocol's
// encoder: the two must agree.
func TestMissedPublications(t *testing.T) {
	for n := range 4 {
		s := wire.Subscribed{
			Position: surewire.Position{Epoch: `,"recovered":true`, Offset: 7}, WasRecovering: true, Recovered: true,
			Data: []byte(`{"x":[1,"recovered",true]}`), TTL: time.Minute,
		}
		for i := range n {
			s.Publications = append(s.Publications, message(uint64(8+i), `{"a":",\"recovered\":true"}`))
		}
		got := wire.AppendSubscribed([]byte("x"), 2, s)
		if n > 0 {
			tagged := *s.Publications[0]
			tagged.Tags = map[string]string{"k": "v"}
			s.Publications[0] = &tagged
		}
		want := bytes.Replace(wire.AppendSubscribed([]byte("x"), 2, s), []byte(`,"tags":{"k":"v"}`), nil, 1)
		if !bytes.Equal(got, want) {
			t.Errorf("%d:\n got %s\nwant %s", n, got, want)
		}
	}
}

// The name of a command is that of its member in JSON.
func TestCommandName(t *testing.T) {
	for _, name := range []string{
		"connect", "subscribe", "unsubscribe", "publish", "presence", "presence_stats", "history", "rpc", "send", "refresh", "sub_refresh", "ping",
	} {
		for cmd, err := range wire.Commands([]byte(`{"id":1,"` + name + `":{"data":1}}`)) {
			if err != nil || cmd.Name() != name {
				t.Errorf("%s is called %q, %v", name, cmd.Name(), err)
			}
		}
	}
	if pong := (&wire.Command{}); pong.Name() != "" {
		t.Errorf("a pong is called %q", pong.Name())
	}
}
