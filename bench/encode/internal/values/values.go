// Package values has the five values that the encoders are measured on, the
// same as those of surejson's own benchmarks.
package values

import (
	"fmt"
	"strings"
	"time"

	"github.com/mailru/easyjson"
)

// Value is one of the five.
type Value struct {
	Name  string // short, as it stands in the tables
	About string // what it is, for the reader of the tables
	Data  any    // what the encoders are given

	// Typed is the same JSON from a type with generated methods, or nil where
	// a type would make it another of the five.
	Typed easyjson.Marshaler
}

// All returns the five values, made anew.
func All() []Value {
	when := time.Date(2026, 11, 22, 10, 0, 0, 123456000, time.UTC)
	event := &Event{
		Type: "agent_thinking", RunID: 0x9E3779B97F4A7C15, Agent: "planner", Timestamp: when, Seq: 42,
		Payload: Payload{Thought: "Looking at the last answers", Progress: 0.75, Step: 3},
	}
	tool := &Tool{
		Type: "tool_completed", RunID: 7, Tool: "search", Took: time.Second, Rows: rows(6),
		Input:  map[string]any{"q": "sockets", "limit": 6.0, "filters": []any{"web", "recent", true}},
		Output: strings.Repeat("line of output\n", 20),
	}
	large := &Large{
		Type: "result", Rows: rows(360),
		Log: strings.Repeat("a longer line of the log, with \"quotes\" here and there\n", 200),
	}
	chat := &Chat{
		Role:    "assistant",
		Content: strings.Repeat("Привет, мир! こんにちは世界。Voilà — c'est déjà l'été 😀. ", 12),
	}
	return []Value{
		{Name: "a-event", About: "an event, as a struct", Data: event, Typed: event},
		{Name: "b-eventmap", About: "the same as map[string]any", Data: map[string]any{
			"type": "agent_thinking", "run_id": "517cc1b7", "agent_name": "planner", "timestamp": when, "seq": 42,
			"payload": map[string]any{"thought": "Looking at the last answers", "progress": 0.75, "step": 3},
		}},
		{Name: "c-tool", About: "the result of a tool: structs, maps, a log", Data: tool, Typed: tool},
		{Name: "d-large", About: "a long result, as map[string]any of structs", Typed: large,
			Data: map[string]any{"type": large.Type, "rows": large.Rows, "log": large.Log}},
		{Name: "e-chat", About: "a chat message, mostly beyond ASCII", Typed: chat,
			Data: map[string]any{"role": chat.Role, "content": chat.Content}},
	}
}

func rows(n int) []Row {
	list := make([]Row, n)
	for i := range list {
		parent := int64(i * 7)
		list[i] = Row{
			ID: ID(i) * 0x9E3779B97F4A7C15, Title: fmt.Sprintf("Result number %d of the search for \"sockets\"", i),
			Score: 0.5 + float64(i)/7, When: time.Date(2026, 11, 22, 10, i%60, 5, 123456000*(i%7), time.UTC),
			Tags: []string{"search", "web", "cached"}, Parent: &parent, Visible: i%2 == 0,
		}
		if i%2 == 0 {
			list[i].Labels = map[string]string{"lang": "en", "source": "index", "host": "example.org"}
		}
	}
	return list
}
