package method

import (
	"reflect"
	"time"

	"github.com/surewire/surewire/surejson/internal/output"
)

// IsMessage reports whether t is a protobuf message: whether it or *t has a
// method ProtoReflect. A struct that has it by embedding a message is none,
// since its other fields would be lost.
func IsMessage(t reflect.Type) bool {
	if !hasProtoReflect(t) {
		return false
	}
	if t.Kind() == reflect.Struct {
		for i := range t.NumField() {
			if f := t.Field(i); f.Anonymous && hasProtoReflect(f.Type) {
				return false
			}
		}
	}
	return true
}

// protoreflect is the package of what ProtoReflect returns.
const protoreflect = "google.golang.org/protobuf/reflect/protoreflect"

func hasProtoReflect(t reflect.Type) bool {
	if t.Kind() != reflect.Interface && t.Kind() != reflect.Pointer {
		t = reflect.PointerTo(t)
	}
	m, ok := t.MethodByName("ProtoReflect")
	return ok && m.Type.NumOut() == 1 && m.Type.Out(0).PkgPath() == protoreflect
}

// Message calls MarshalMessage on m.
func (g *Guard) Message(by output.MessageMarshaler, m any, timeout time.Duration) (given []byte, fault *Fault) {
	var result []byte
	fault = g.Run(timeout, func() (err error) { result, err = by.MarshalMessage(m); return err })
	if fault != nil {
		return nil, fault
	}
	return result, nil
}
