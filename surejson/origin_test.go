package surejson_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/surewire/surewire/surejson"
)

// The values that brought down the system this package was made after. Each
// is also tried on encoding/json, which must still fail or misstate it where
// standard says so: otherwise the vector proves nothing.

type option string // a string enum

type first int // an integer enum named by its value

func (first) String() string { return "1" }

// uuid is text by its method.
type uuid [16]byte

func (u uuid) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%x-%x", u[:4], u[4:]), nil }

// model has a JSON form of its own, which may fail.
type model struct{ broken bool }

func (m model) MarshalJSON() ([]byte, error) {
	if m.broken {
		return nil, fmt.Errorf("model cannot be dumped")
	}
	return json.Marshal(map[string]any{"agent_state": "running", "progress": 0.75, "metadata": map[string]int{"step": 3}})
}

// unserializable has only a text.
type unserializable struct{ value string }

func (u unserializable) String() string { return "UnserializableObject(" + u.value + ")" }

type record struct {
	Name      string    `json:"name"`
	Value     int       `json:"value"`
	Timestamp time.Time `json:"timestamp"`
	Nested    struct {
		Config  map[string]bool `json:"config"`
		Stats   []int           `json:"stats"`
		EnumVal option          `json:"enum_val"`
	} `json:"nested"`
}

// diagnostics is what the original logged and sent when a connection failed.
type diagnostics struct {
	HasWebsocket   bool    `json:"has_websocket"`
	WebsocketType  string  `json:"websocket_type"`
	Age            float64 `json:"connection_age_seconds"`
	Metadata       bool    `json:"metadata_present"`
	WebsocketState any     `json:"websocket_state"`
}

func originTable() []struct {
	name           string
	value          any
	want           string
	repairs        []string
	standardAgrees bool
} {
	day := time.Date(2023, 1, 1, 12, 0, 0, 0, time.UTC)
	shared := map[string]any{"s": state(1)}
	loop := map[string]any{"a": 1}
	loop["self"] = loop
	rec := record{Name: "n", Value: 1, Timestamp: day}
	rec.Nested.Config, rec.Nested.Stats, rec.Nested.EnumVal = map[string]bool{"debug": true}, []int{1, 2, 3}, "option_a"
	context := diagnostics{true, "WebSocket", 1.23, false, state(1)}
	type vector = struct {
		name           string
		value          any
		want           string
		repairs        []string
		standardAgrees bool
	}
	return []vector{
		{name: "state enum", value: []state{0, 1, 2}, want: `["connecting","connected","disconnected"]`},
		{name: "another state enum", value: []any{smallState(1), smallState(3), smallState(0)}, want: `["open","closed","connecting"]`},
		{name: "generic enums", value: []any{option("value1"), 42, first(1)}, want: `["value1",42,1]`, standardAgrees: true},
		{name: "map keys", value: map[any]int{smallState(1): 1, first(1): 2, option("option_a"): 3, "normal_key": 4}, want: `{"1":2,"normal_key":4,"open":1,"option_a":3}`},
		{name: "mixed list", value: []any{"string", 42, state(1), option("value1"), day}, want: `["string",42,"connected","value1","2023-01-01T12:00:00Z"]`},
		{name: "time", value: day, want: `"2023-01-01T12:00:00Z"`, standardAgrees: true},
		{name: "set, tuple, empty", value: []any{[3]int{1, 2, 3}, []int{}, [0]int{}}, want: `[[1,2,3],[],[]]`, standardAgrees: true},
		{name: "UUID", value: uuid{1, 2, 3, 4, 5}, want: `"01020304-050000000000000000000000"`, standardAgrees: true},
		{name: "model", value: model{}, want: `{"agent_state":"running","metadata":{"step":3},"progress":0.75}`, standardAgrees: true},
		{name: "model that fails", value: []any{model{true}, 1}, want: `[null,1]`, repairs: []string{"/0 method-error surejson_test.model"}},
		{name: "dataclass", value: rec, want: `{"name":"n","value":1,"timestamp":"2023-01-01T12:00:00Z","nested":{"config":{"debug":true},"stats":[1,2,3],"enum_val":"option_a"}}`, standardAgrees: true},
		{name: "unknown object", value: unserializable{"test_value"}, want: `"UnserializableObject(test_value)"`, repairs: []string{" string-fallback surejson_test.unserializable"}},
		{name: "nested enums", value: map[any]any{state(0): map[string]any{"status": option("option_a"), "nested": map[first][]any{1: {1, 2, option("option_b")}}}, "metadata": map[string]any{"enum_value": smallState(1), "count": 42}}, want: `{"connecting":{"nested":{"1":[1,2,"option_b"]},"status":"option_a"},"metadata":{"count":42,"enum_value":"open"}}`},
		{name: "error context", value: map[string]any{"type": "error", "error": map[string]any{"code": "CONNECTION_ERROR", "context": context}, "timestamp": day}, want: `{"error":{"code":"CONNECTION_ERROR","context":{"has_websocket":true,"websocket_type":"WebSocket","connection_age_seconds":1.23,"metadata_present":false,"websocket_state":"connected"}},"timestamp":"2023-01-01T12:00:00Z","type":"error"}`},
		{name: "diagnostics without a socket", value: diagnostics{WebsocketState: "no_websocket"}, want: `{"has_websocket":false,"websocket_type":"","connection_age_seconds":0,"metadata_present":false,"websocket_state":"no_websocket"}`, standardAgrees: true},
		{name: "state whose String panics", value: panicEnum(1), want: `1`, repairs: []string{" method-panic surejson_test.panicEnum"}, standardAgrees: true},
		{name: "map that holds itself", value: loop, want: `{"a":1,"self":null}`, repairs: []string{"/self cycle map[string]interface {}"}},
		{name: "one object twice", value: []any{shared, shared}, want: `[{"s":"connected"},{"s":"connected"}]`},
		{name: "NaN and infinities", value: map[string]float64{"a": math.NaN(), "b": math.Inf(1), "c": math.Inf(-1), "d": 1}, want: `{"a":null,"b":null,"c":null,"d":1}`, repairs: []string{"/a non-finite float64", "/b non-finite float64", "/c non-finite float64"}},
		{name: "plain map", value: map[string]any{"type": "x", "payload": map[string]any{"a": []any{1.0, "b", nil, true}}}, want: `{"payload":{"a":[1,"b",null,true]},"type":"x"}`, standardAgrees: true},
		{name: "keys that are neither text nor enum", value: map[[2]int]string{{1, 2}: "tuple"}, want: `{"[1,2]":"tuple"}`},
	}
}

func TestOriginVectors(t *testing.T) {
	for _, v := range originTable() {
		t.Run(v.name, func(t *testing.T) {
			got, r := surejson.Marshal(v.value)
			if string(got) != v.want {
				t.Errorf("\n got %s\nwant %s", got, v.want)
			}
			if fmt.Sprint(lines(r)) != fmt.Sprint(v.repairs) {
				t.Errorf("repairs %q, want %q", lines(r), v.repairs)
			}
			standard, err := asStandard(v.value, false)
			if agrees := err == nil && string(standard) == v.want; agrees != v.standardAgrees {
				t.Errorf("encoding/json agrees: %v: %s, %v", agrees, standard, err)
			}
		})
	}
}

// One warning, and it must not show the value.
func TestOneWarningForAnUnknownObject(t *testing.T) {
	_, r := surejson.Marshal(map[string]any{"o": unserializable{"secret"}})
	if r.Total != 1 || !strings.Contains(r.Err().Error(), "string-fallback") {
		t.Errorf("%v", r.Err())
	}
}

func TestAHundredConnectionsAtOnce(t *testing.T) {
	var wait sync.WaitGroup
	for i := range 100 {
		wait.Go(func() {
			out, r := surejson.Marshal(map[string]any{"state": state(i % 3), "at": time.Unix(int64(i), 0).UTC(), "n": i})
			want := fmt.Sprintf(`{"at":%q,"n":%d,"state":%q}`, time.Unix(int64(i), 0).UTC().Format(time.RFC3339), i, state(i%3).String())
			if string(out) != want || !r.Clean() {
				t.Errorf("got %s, want %s, %v", out, want, r.Err())
			}
		})
	}
	wait.Wait()
}

// What took the original seconds: one huge state.
func TestHugeState(t *testing.T) {
	messages := make([]map[string]any, 1000)
	for i := range messages {
		messages[i] = map[string]any{"role": state(i % 3), "content": strings.Repeat("seven c", 100), "at": time.Unix(int64(i), 0)}
	}
	out, r := surejson.Marshal(map[string]any{"messages": messages, "state": state(1)})
	if !r.Clean() || len(out) < 700_000 || !json.Valid(out) {
		t.Errorf("%d bytes, %v", len(out), r.Err())
	}
}
