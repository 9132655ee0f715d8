package sure

import (
	"context"
	"math"
	"sync"
	"sync/atomic"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/surejson"
)

type Money struct{ Cents int64 }

func (m *Money) MarshalJSON() ([]byte, error) { return nil, nil }

// What surejson repairs, or writes well, is another matter than with encoding/json.
type All struct {
	C   chan int // want `All.C cannot be encoded \(a channel\): null is written in its place \(SW301\)`
	Err error
	M   Money
	Key map[bool]int
	N   atomic.Int64
	Mu  sync.Mutex // want `sync.Mutex has no exported field and no marshaler`
	Sub struct {
		Err error
	}
}

func publish(p *surewire.Publisher, a All) {
	p.Publish(context.Background(), "c", a)
	p.Publish(context.Background(), "c", map[string]any{"x": math.NaN()}) // want `math.NaN\(\) is NaN or infinite, and written as null`
}

func marshal(v any) []byte { b, _ := surejson.Marshal(v); return b }
