package peer

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/surewire/surewire/bench/encode/internal/values"
	"github.com/surewire/surewire/surejson"
)

func hand() []Encoder {
	return []Encoder{
		{Info{"hand", Limits, "", "append code written for these types, with plain loops over strings: keys sorted, UTF-8 checked"}, newHand},
		{Info{"memcpy", Limits, "", "a copy of the finished bytes"}, newCopy},
	}
}

func newHand(v values.Value) (Codec, bool) {
	return appender(func(b []byte) ([]byte, error) { return handAny(b, v.Data) }, nil), true
}

func newCopy(v values.Value) (Codec, bool) {
	done, _ := surejson.Marshal(v.Data)
	return appender(
		func(b []byte) ([]byte, error) { return append(b, done...), nil },
		func() ([]byte, error) { return append(make([]byte, 0, len(done)), done...), nil }), true
}

func handAny(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return handString(b, v), nil
	case float64:
		return handFloat(b, v), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case time.Time:
		return handTime(b, v), nil
	case map[string]any:
		return handMap(b, v)
	case []any:
		return handList(b, v, handAny)
	case []values.Row:
		return handList(b, v, handRow)
	case *values.Event:
		return handEvent(b, v), nil
	case *values.Tool:
		return handTool(b, v)
	}
	return b, fmt.Errorf("nobody wrote code for a %T", v)
}

// handMap sorts in an array on the stack where the keys fit into it.
func handMap(b []byte, m map[string]any) ([]byte, error) {
	var few [16]string
	keys := few[:0]
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(handString(b, k), ':')
		var err error
		if b, err = handAny(b, m[k]); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

func handList[T any](b []byte, list []T, element func(b []byte, v T) ([]byte, error)) ([]byte, error) {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = element(b, v); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

func handID(b []byte, id values.ID) []byte {
	return append(id.Append(append(b, '"')), '"')
}

func handTime(b []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

func handEvent(b []byte, e *values.Event) []byte {
	b = handString(append(b, `{"type":`...), e.Type)
	b = handID(append(b, `,"run_id":`...), e.RunID)
	b = handString(append(b, `,"agent_name":`...), e.Agent)
	b = handTime(append(b, `,"timestamp":`...), e.Timestamp)
	b = strconv.AppendInt(append(b, `,"seq":`...), int64(e.Seq), 10)
	if e.Final {
		b = append(b, `,"final":true`...)
	}
	b = handString(append(b, `,"payload":{"thought":`...), e.Payload.Thought)
	b = handFloat(append(b, `,"progress":`...), e.Payload.Progress)
	b = strconv.AppendInt(append(b, `,"step":`...), int64(e.Payload.Step), 10)
	if e.Payload.Tool != "" {
		b = handString(append(b, `,"tool":`...), e.Payload.Tool)
	}
	if len(e.Payload.Tags) > 0 {
		b = handStrings(append(b, `,"tags":`...), e.Payload.Tags)
	}
	return append(b, "}}"...)
}

func handTool(b []byte, t *values.Tool) ([]byte, error) {
	b = handString(append(b, `{"type":`...), t.Type)
	b = handID(append(b, `,"run_id":`...), t.RunID)
	b = handString(append(b, `,"tool_name":`...), t.Tool)
	b = strconv.AppendInt(append(b, `,"duration":`...), int64(t.Took), 10)
	b, err := handMap(append(b, `,"input":`...), t.Input)
	if err != nil {
		return b, err
	}
	if b, err = handList(append(b, `,"rows":`...), t.Rows, handRow); err != nil {
		return b, err
	}
	b = handString(append(b, `,"output":`...), t.Output)
	return append(b, '}'), nil
}

func handRow(b []byte, r values.Row) ([]byte, error) {
	b = handID(append(b, `{"id":`...), r.ID)
	b = handString(append(b, `,"title":`...), r.Title)
	b = handFloat(append(b, `,"score":`...), r.Score)
	b = handTime(append(b, `,"when":`...), r.When)
	b = handStrings(append(b, `,"tags":`...), r.Tags)
	if len(r.Labels) > 0 {
		b = handLabels(append(b, `,"labels":`...), r.Labels)
	}
	if b = append(b, `,"parent":`...); r.Parent == nil {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, *r.Parent, 10)
	}
	b = strconv.AppendBool(append(b, `,"visible":`...), r.Visible)
	return append(b, '}'), nil
}

func handStrings(b []byte, list []string) []byte {
	if list == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = handString(b, s)
	}
	return append(b, ']')
}

func handLabels(b []byte, m map[string]string) []byte {
	var few [16]string
	keys := few[:0]
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = handString(append(handString(b, k), ':'), m[k])
	}
	return append(b, '}')
}
