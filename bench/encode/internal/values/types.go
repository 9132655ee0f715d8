package values

import "time"

// The generated methods are MarshalEasyJSON and its like only: with a
// MarshalJSON on the types, every other encoder would run easyjson's code.
//go:generate go tool easyjson -all -no_std_marshalers types.go

// Event is an event of an agent. Its zero Final is left out.
type Event struct {
	Type      string    `json:"type"`
	RunID     ID        `json:"run_id"`
	Agent     string    `json:"agent_name"`
	Timestamp time.Time `json:"timestamp"`
	Seq       int       `json:"seq"`
	Final     bool      `json:"final,omitempty"`
	Payload   Payload   `json:"payload"`
}

// Payload is what an Event tells.
type Payload struct {
	Thought  string   `json:"thought"`
	Progress float64  `json:"progress"`
	Step     int      `json:"step"`
	Tool     string   `json:"tool,omitempty"`
	Tags     []string `json:"tags,omitempty"`
}

// ID is an identifier with a MarshalText that allocates once.
type ID uint64

// MarshalText returns eight hexadecimal digits.
func (id ID) MarshalText() ([]byte, error) {
	return id.Append(make([]byte, 0, 8)), nil
}

// Append appends the text of id, for code written by hand.
func (id ID) Append(b []byte) []byte {
	const hex = "0123456789abcdef"
	for i := range 8 {
		b = append(b, hex[id>>(4*i)&15])
	}
	return b
}

// Tool is the event of a tool that has completed.
type Tool struct {
	Type   string         `json:"type"`
	RunID  ID             `json:"run_id"`
	Tool   string         `json:"tool_name"`
	Took   time.Duration  `json:"duration"`
	Input  map[string]any `json:"input"`
	Rows   []Row          `json:"rows"`
	Output string         `json:"output"`
}

// Row is one of the results of a tool.
type Row struct {
	ID      ID                `json:"id"`
	Title   string            `json:"title"`
	Score   float64           `json:"score"`
	When    time.Time         `json:"when"`
	Tags    []string          `json:"tags"`
	Labels  map[string]string `json:"labels,omitempty"`
	Parent  *int64            `json:"parent"`
	Visible bool              `json:"visible"`
}

// Large is the long result as a struct, for encoders that take no map.
type Large struct {
	Log  string `json:"log"`
	Rows []Row  `json:"rows"`
	Type string `json:"type"`
}

// Chat is the chat message as a struct, for encoders that take no map.
type Chat struct {
	Content string `json:"content"`
	Role    string `json:"role"`
}
