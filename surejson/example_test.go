package surejson_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"time"

	"github.com/surewire/surewire/surejson"
)

type Status uint8

func (s Status) String() string {
	return [...]string{"idle", "busy"}[s]
}

func Example() {
	out, report := surejson.Marshal(map[string]any{
		"status":  Status(1),
		"error":   errors.New("model overloaded"),
		"score":   math.NaN(),
		"updates": make(chan int),
		"seen":    map[Status]int{0: 3},
	})
	fmt.Println(string(out))
	for _, r := range report.Repairs {
		fmt.Println(r.Pointer, r.Reason, r.GoType)
	}
	// Output:
	// {"error":"model overloaded","score":null,"seen":{"idle":3},"status":"busy","updates":null}
	// /score non-finite float64
	// /updates unsupported chan int
}

func ExampleEncoder_Append() {
	e := surejson.Encoder{Durations: surejson.DurationText, MaxSize: 1 << 20}
	buf := make([]byte, 0, 1024)
	buf = append(buf, "data: "...)
	buf, _ = e.Append(buf, map[string]any{"took": 1500 * time.Millisecond})
	fmt.Println(string(buf))
	// Output: data: {"took":"1.5s"}
}

func ExampleReport_Err() {
	_, report := surejson.Marshal([]any{1, int64(1)<<53 + 1})
	fmt.Println(report.Err())
	// Output: surejson: 1 repaired: "/1" (int64): big-integer, wrote "9007199254740993"
}

func ExampleNewHandler() {
	withoutTime := func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.Attr{}
		}
		return a
	}
	logger := slog.New(surejson.NewHandler(os.Stdout, &surejson.HandlerOptions{ReplaceAttr: withoutTime}))
	logger.Info("connection", "status", Status(1), "load", math.NaN(), "updates", make(chan int))
	// Output: {"level":"INFO","msg":"connection","status":"busy","load":null,"updates":null,"!repairs":["/load non-finite float64: NaN","/updates unsupported chan int"]}
}
