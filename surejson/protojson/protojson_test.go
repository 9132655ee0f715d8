package protojson_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/surewire/surewire/surejson"
	"github.com/surewire/surewire/surejson/protojson"
)

var encoder = surejson.Encoder{Protobuf: protojson.Marshaler{}}

// event describes a message with a oneof, an enum, integers of 64 bits, a map
// and itself.
var event = func() protoreflect.MessageDescriptor {
	field := func(name string, number int32, kind descriptorpb.FieldDescriptorProto_Type, more func(*descriptorpb.FieldDescriptorProto)) *descriptorpb.FieldDescriptorProto {
		f := &descriptorpb.FieldDescriptorProto{Name: &name, Number: &number, Type: &kind, Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()}
		if more != nil {
			more(f)
		}
		return f
	}
	file := &descriptorpb.FileDescriptorProto{
		Name: proto.String("event.proto"), Package: proto.String("test"), Syntax: proto.String("proto3"),
		EnumType: []*descriptorpb.EnumDescriptorProto{{Name: proto.String("State"), Value: []*descriptorpb.EnumValueDescriptorProto{
			{Name: proto.String("CONNECTING"), Number: proto.Int32(0)}, {Name: proto.String("CONNECTED"), Number: proto.Int32(1)}}}},
		MessageType: []*descriptorpb.DescriptorProto{{
			Name: proto.String("Event"), OneofDecl: []*descriptorpb.OneofDescriptorProto{{Name: proto.String("body")}},
			Field: []*descriptorpb.FieldDescriptorProto{
				field("run_id", 1, descriptorpb.FieldDescriptorProto_TYPE_INT64, nil),
				field("state", 2, descriptorpb.FieldDescriptorProto_TYPE_ENUM, func(f *descriptorpb.FieldDescriptorProto) { f.TypeName = proto.String(".test.State") }),
				field("text", 3, descriptorpb.FieldDescriptorProto_TYPE_STRING, func(f *descriptorpb.FieldDescriptorProto) { f.OneofIndex = proto.Int32(0) }),
				field("load", 4, descriptorpb.FieldDescriptorProto_TYPE_DOUBLE, func(f *descriptorpb.FieldDescriptorProto) { f.OneofIndex = proto.Int32(0) }),
				field("cause", 5, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE, func(f *descriptorpb.FieldDescriptorProto) { f.TypeName = proto.String(".test.Event") }),
			},
		}},
	}
	made, err := protodesc.NewFile(file, nil)
	if err != nil {
		panic(err)
	}
	return made.Messages().ByName("Event")
}()

// newEvent returns an Event with the given fields.
func newEvent(fields map[protoreflect.Name]any) *dynamicpb.Message {
	m := dynamicpb.NewMessage(event)
	for name, v := range fields {
		m.Set(event.Fields().ByName(name), protoreflect.ValueOf(v))
	}
	return m
}

// lines shows repairs as "pointer reason type".
func lines(r surejson.Report) (list []string) {
	for _, p := range r.Repairs {
		list = append(list, p.Pointer+" "+p.Reason.String()+" "+p.GoType)
	}
	return list
}

type holder struct {
	At    *timestamppb.Timestamp `json:"at"`
	Value timestamppb.Timestamp  `json:"value"`
	None  *durationpb.Duration   `json:"none"`
	Left  *durationpb.Duration   `json:"left,omitempty"`
}

// embeds is no message although it has all methods of one.
type embeds struct {
	*wrapperspb.StringValue
	Extra int
}

// impostor has the method and nothing else of a message.
type impostor struct{ A int }

func (impostor) ProtoReflect() {}

func TestMessages(t *testing.T) {
	stamp := timestamppb.New(time.Date(2026, 11, 22, 10, 0, 0, 5000, time.UTC))
	object, err := structpb.NewStruct(map[string]any{"a": []any{1, "x", nil}, "b": map[string]any{"c": true}})
	if err != nil {
		t.Fatal(err)
	}
	anyStamp, err := anypb.New(stamp)
	if err != nil {
		t.Fatal(err)
	}
	unknown := &anypb.Any{TypeUrl: "type.googleapis.com/no.such.Message", Value: []byte("x")}
	invalid := wrapperspb.String("a\xffb")
	loop := &descriptorpb.DescriptorProto{}
	loop.NestedType = []*descriptorpb.DescriptorProto{loop}
	for _, c := range []struct {
		name    string
		value   any
		want    string
		repairs string
	}{
		{"Timestamp", stamp, `"2026-11-22T10:00:00.000005Z"`, ""},
		{"Duration", durationpb.New(1500 * time.Millisecond), `"1.500s"`, ""},
		{"Struct", object, `{"a":[1,"x",null],"b":{"c":true}}`, ""},
		{"Any", anyStamp, `{"@type":"type.googleapis.com/google.protobuf.Timestamp","value":"2026-11-22T10:00:00.000005Z"}`, ""},
		{"Any of an unknown type", []any{unknown, 1}, `[null,1]`, "/0 method-error anypb.Any"},
		{"Empty", &emptypb.Empty{}, `{}`, ""},
		{"FieldMask", &fieldmaskpb.FieldMask{Paths: []string{"a_b", "c"}}, `"aB,c"`, ""},
		{"64-bit integers", []any{wrapperspb.Int64(1 << 60), wrapperspb.UInt64(7), wrapperspb.Int32(7)}, `["1152921504606846976","7",7]`, ""},
		{"NaN", wrapperspb.Double(math.NaN()), `"NaN"`, ""},
		{"an enum", &descriptorpb.FieldDescriptorProto{Type: descriptorpb.FieldDescriptorProto_TYPE_BOOL.Enum()}, `{"type":"TYPE_BOOL"}`, ""},
		{"a oneof", newEvent(map[protoreflect.Name]any{"run_id": int64(1) << 60, "state": protoreflect.EnumNumber(1), "text": "<é>"}), `{"runId":"1152921504606846976","state":"CONNECTED","text":"<é>"}`, ""},
		{"the other of a oneof, inside", newEvent(map[protoreflect.Name]any{"cause": newEvent(map[protoreflect.Name]any{"load": 0.5}).ProtoReflect()}), `{"cause":{"load":0.5}}`, ""},
		{"an enum without a name", newEvent(map[protoreflect.Name]any{"state": protoreflect.EnumNumber(7)}), `{"state":7}`, ""},
		{"a nil message", (*timestamppb.Timestamp)(nil), `null`, ""},
		{"a nil message in an interface", []proto.Message{nil, stamp}, `[null,"2026-11-22T10:00:00.000005Z"]`, ""},
		{"in a struct", &holder{At: stamp}, `{"at":"2026-11-22T10:00:00.000005Z","value":"1970-01-01T00:00:00Z","none":null}`, ""},
		{"in a struct that is not addressed", reflect.ValueOf(&holder{At: stamp}).Elem().Interface(), `{"at":"2026-11-22T10:00:00.000005Z","value":"1970-01-01T00:00:00Z","none":null}`, ""},
		{"in a map", map[string]any{"a": stamp, "b": map[string]*durationpb.Duration{"c": durationpb.New(0)}}, `{"a":"2026-11-22T10:00:00.000005Z","b":{"c":"0s"}}`, ""},
		{"in slices", []any{[]*wrapperspb.BoolValue{wrapperspb.Bool(true), nil}, [1]*emptypb.Empty{{}}}, `[[true,null],[{}]]`, ""},
		{"as a value", reflect.ValueOf(stamp).Elem().Interface(), `"2026-11-22T10:00:00.000005Z"`, ""},
		{"a pointer to a pointer", &stamp, `"2026-11-22T10:00:00.000005Z"`, ""},
		{"as a key", map[*timestamppb.Timestamp]int{stamp: 1}, `{"2026-11-22T10:00:00.000005Z":1}`, ""},
		{"invalid UTF-8", map[string]any{"a": invalid, "b": 1}, `{"a":null,"b":1}`, "/a method-error wrapperspb.StringValue"},
		{"a time out of range", []any{&timestamppb.Timestamp{Seconds: 1 << 60}}, `[null]`, "/0 method-error timestamppb.Timestamp"},
		{"a message that holds itself", []any{loop, 1}, `[null,1]`, "/0 method-error descriptorpb.DescriptorProto"},
		{"a message embedded", embeds{wrapperspb.String("s"), 7}, `{"value":"s","Extra":7}`, ""},
		{"an impostor", impostor{1}, `{"A":1}`, ""},
		{"no message", struct{ A int }{1}, `{"A":1}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // the first call of a type is made otherwise than the next
				got, r := encoder.Append(nil, c.value)
				if string(got) != c.want || strings.Join(lines(r), ", ") != c.repairs {
					t.Errorf("\n got %s\nwant %s\n%v", got, c.want, r.Err())
				}
			}
			// Without a MessageMarshaler messages are what they are in Go.
			if got, r := surejson.Marshal(c.value); !json.Valid(got) || len(r.Repairs) > 2 {
				t.Errorf("%s, %v", got, r.Err())
			}
		})
	}
}

// Messages that share parts multiply: 2^40 of them in little memory.
func TestMessagesThatMultiply(t *testing.T) {
	m := &descriptorpb.DescriptorProto{Name: proto.String("leaf")}
	for range 40 {
		m = &descriptorpb.DescriptorProto{NestedType: []*descriptorpb.DescriptorProto{m, m}}
	}
	got, r := encoder.Append(nil, []any{m, 1})
	if string(got) != `[null,1]` || !r.Has(surejson.MethodError) {
		t.Errorf("%s, %v", got, r.Err())
	}
}

func TestMessageLimits(t *testing.T) {
	deep := newEvent(nil)
	for range 100 {
		deep = newEvent(map[protoreflect.Name]any{"cause": deep.ProtoReflect()})
	}
	e := encoder
	e.MaxDepth = 10
	got, r := e.Append(nil, deep)
	if strings.Count(string(got), "cause") != 10 || !json.Valid(got) || !r.Has(surejson.TooDeep) {
		t.Errorf("%s, %v", got, r.Err())
	}
	e.MaxSize = 50
	got, r = e.Append(nil, []any{wrapperspb.String(strings.Repeat("x", 100)), "after"})
	if string(got) != `[null,"after"]` || !r.Has(surejson.TooLarge) {
		t.Errorf("%s, %v", got, r.Err())
	}
}

// misbehaves is a MessageMarshaler that does what a message's text says.
type misbehaves struct{}

func (misbehaves) MarshalMessage(m any) ([]byte, error) {
	text := m.(*wrapperspb.StringValue).GetValue()
	if text == "panic" {
		panic("no luck")
	}
	return []byte(text), nil
}

func TestMarshalerIsContained(t *testing.T) {
	e := surejson.Encoder{Protobuf: misbehaves{}}
	for text, want := range map[string]string{
		"panic": " method-panic", `1,"admin":true`: " invalid-json", "": " invalid-json", "\"\xff\"": " invalid-utf8", "9007199254740993": " big-integer",
		" [ 1 , 2 ]": "",
	} {
		got, r := e.Append(nil, wrapperspb.String(text))
		if reason, _, _ := strings.Cut(strings.Join(lines(r), ", "), " wrapperspb"); reason != want || !json.Valid(got) {
			t.Errorf("%q: %s, %v", text, got, r.Err())
		}
	}
	got, r := e.Append(nil, []any{durationpb.New(1), 1}) // its assertion panics
	if string(got) != `[null,1]` || !r.Has(surejson.MethodPanic) {
		t.Errorf("%s, %v", got, r.Err())
	}
}

func TestMessagesInALogLine(t *testing.T) {
	var out strings.Builder
	logger := slog.New(surejson.NewHandler(&out, &surejson.HandlerOptions{Encoder: &encoder}))
	logger.Info("m", "left", durationpb.New(time.Second), "name", wrapperspb.String("\xff"))
	if got := out.String(); !strings.Contains(got, `"left":"1s","name":null,"!repairs":["/name method-error wrapperspb.StringValue: `) {
		t.Errorf("%s", got)
	}
}

func TestMessagesConcurrently(t *testing.T) {
	value := map[string]any{"a": timestamppb.New(time.Unix(1, 0)), "b": reflect.ValueOf(durationpb.New(1)).Elem().Interface(), "c": newEvent(map[protoreflect.Name]any{"text": "x"})}
	e := encoder
	e.MethodTimeout = time.Minute
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			by := &encoder
			if i%2 == 0 {
				by = &e
			}
			got, r := by.Append(nil, value)
			if want := `{"a":"1970-01-01T00:00:01Z","b":"0.000000001s","c":{"text":"x"}}`; string(got) != want || !r.Clean() {
				t.Errorf("%s, %v", got, r.Err())
			}
		})
	}
	wait.Wait()
}

func ExampleMarshaler() {
	e := surejson.Encoder{Protobuf: protojson.Marshaler{}}
	out, _ := e.Append(nil, map[string]any{"took": durationpb.New(1500 * time.Millisecond), "count": wrapperspb.Int64(1 << 60)})
	fmt.Println(string(out))
	// Output: {"count":"1152921504606846976","took":"1.500s"}
}
