// Package protojson writes protobuf messages for package surejson, which has
// nothing but the standard library:
//
//	e := surejson.Encoder{Protobuf: protojson.Marshaler{}}
//
// A message is then written by the rules of protobuf's JSON mapping wherever it
// stands: enums by name, 64-bit integers as strings, a Timestamp as RFC 3339. A
// message that cannot be written, such as one with a string that is not UTF-8,
// is null as a whole, and reported as a method-error.
package protojson

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/surewire/surewire/surejson"
)

// A Marshaler is a [surejson.MessageMarshaler]. Its zero value is ready to use,
// also concurrently. A message that leads back to itself or nests deeper than
// [surejson.DepthCeiling] is refused, since protobuf's own marshaler would
// never return; so is one of more than 64 Mi parts.
type Marshaler struct {
	Options protojson.MarshalOptions // static; Indent and Multiline have no effect
}

// MarshalMessage returns m as JSON.
func (m Marshaler) MarshalMessage(v any) ([]byte, error) {
	message, ok := v.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("%T has a ProtoReflect but is no message", v)
	}
	b := budget{surejson.DefaultMaxSize}
	if err := b.message(message.ProtoReflect(), surejson.DepthCeiling); err != nil {
		return nil, err
	}
	return m.Options.Marshal(message)
}

var _ surejson.MessageMarshaler = Marshaler{}

var (
	errDeep  = errors.New("the message nests too deep, or holds itself")
	errLarge = errors.New("the message has too many parts")
)

// messageCost is what a message costs beyond its fields. It bounds the time
// that messages which share parts, and so multiply, can take.
const messageCost = 64

// A budget is what may still be spent: a byte of text costs one, and so does
// any other value.
type budget struct{ left int }

// message spends what m costs.
func (b *budget) message(m protoreflect.Message, depth int) (err error) {
	if depth == 0 {
		return errDeep
	}
	if err := b.spend(messageCost); err != nil {
		return err
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsList():
			err = b.list(f, v.List(), depth)
		case f.IsMap():
			v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
				err = b.value(f.MapValue(), v, depth)
				return err == nil
			})
		default:
			err = b.value(f, v, depth)
		}
		return err == nil
	})
	return err
}

func (b *budget) list(f protoreflect.FieldDescriptor, l protoreflect.List, depth int) error {
	for i := range l.Len() {
		if err := b.value(f, l.Get(i), depth); err != nil {
			return err
		}
	}
	return nil
}

// value spends what one value of the field f costs.
func (b *budget) value(f protoreflect.FieldDescriptor, v protoreflect.Value, depth int) error {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return b.message(v.Message(), depth-1)
	case protoreflect.StringKind:
		return b.spend(len(v.String()))
	case protoreflect.BytesKind:
		return b.spend(len(v.Bytes()))
	}
	return b.spend(1)
}

func (b *budget) spend(n int) error {
	if b.left -= n; b.left < 0 {
		return errLarge
	}
	return nil
}
