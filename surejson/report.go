package surejson

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/surewire/surewire/surejson/internal/output"
)

// A Report tells what an encoding repaired. The zero Report means nothing.
type Report struct {
	Repairs []Repair `json:"repairs"` // at most Encoder.MaxRepairs
	Total   int      `json:"total"`   // all repairs made; may exceed len(Repairs)

	reasons uint32 // of all repairs, as bits by Reason
}

// Clean reports whether the output says all that the value says.
func (r Report) Clean() bool { return r.Total == 0 }

// Has reports whether any repair, listed or not, had the reason. A Report that
// was read from JSON knows of the listed ones only.
func (r Report) Has(reason Reason) bool {
	return r.reasons>>reason&1 == 1 || slices.ContainsFunc(r.Repairs, func(p Repair) bool { return p.Reason == reason })
}

// Err returns nil for a clean Report and otherwise a [*RepairError], for
// callers that would rather fail than send a repaired value.
func (r Report) Err() error {
	if r.Clean() {
		return nil
	}
	return &RepairError{Report: r}
}

// A RepairError is a Report taken as an error.
type RepairError struct{ Report Report }

// Error lists each repair.
func (e *RepairError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "surejson: %d repaired", e.Report.Total)
	for i, r := range e.Report.Repairs {
		b.WriteString([]string{": ", "; "}[min(i, 1)])
		b.WriteString(r.String())
	}
	if n := e.Report.Total - len(e.Report.Repairs); n > 0 {
		fmt.Fprintf(&b, "; and %d more", n)
	}
	return b.String()
}

// A Repair is one place where the output says less than the value, or says
// it in another form than its type promises.
type Repair struct {
	Pointer string `json:"pointer"`          // RFC 6901 pointer to the place in the output; "" is the whole
	GoType  string `json:"go_type"`          // type of the Go value, as %T prints it
	Reason  Reason `json:"reason"`           // why the value could not stand
	Wrote   string `json:"wrote"`            // the JSON text in its place, shortened; for a map key the member's name
	Detail  string `json:"detail,omitempty"` // what a failing method or reader said, shortened; may be empty
}

// String returns the repair on one line.
func (r Repair) String() string {
	s := fmt.Sprintf("%s (%s): %s, wrote %s", strconv.Quote(r.Pointer), r.GoType, r.Reason, r.Wrote)
	if r.Detail != "" {
		s += " (" + r.Detail + ")"
	}
	return s
}

// A Reason is why a value could not stand as it is.
type Reason uint8

// The reasons, and what is written for each.
const (
	Unsupported    = Reason(output.Unsupported)    // a kind that JSON lacks: null, or its text if it has one
	NonFinite      = Reason(output.NonFinite)      // NaN or an infinity: null, as JSON.stringify does
	BigInteger     = Reason(output.BigInteger)     // an integer beyond ±2^53: a string
	InvalidUTF8    = Reason(output.InvalidUTF8)    // bytes that are not UTF-8: U+FFFD for each
	InvalidJSON    = Reason(output.InvalidJSON)    // a RawMessage that is no JSON: its text as a string; from MarshalJSON: null
	InvalidNumber  = Reason(output.InvalidNumber)  // a json.Number that is no number: its text as a string
	Cycle          = Reason(output.Cycle)          // a way back to a container being written: null
	TooDeep        = Reason(output.TooDeep)        // nesting beyond MaxDepth: null
	TooLarge       = Reason(output.TooLarge)       // beyond MaxSize: a string cut, a value as null, or the rest left out
	MethodError    = Reason(output.MethodError)    // a method returned an error: null
	MethodPanic    = Reason(output.MethodPanic)    // a method panicked: null; String or Error: the value as encoding/json has it
	MethodExit     = Reason(output.MethodExit)     // a method ended its goroutine: as for MethodPanic
	MethodTimeout  = Reason(output.MethodTimeout)  // a method did not return in time: as for MethodPanic
	UnknownEnum    = Reason(output.UnknownEnum)    // an enum without a name for its value: what String gave, or the number
	StringFallback = Reason(output.StringFallback) // a value without exported fields: what its String method gives
	DuplicateKey   = Reason(output.DuplicateKey)   // map keys with one text: all but one with a suffix such as #2
	TimeRange      = Reason(output.TimeRange)      // a time beyond RFC 3339: a year with a sign, or UTC
	Internal       = Reason(output.Internal)       // a value that changed while it was read, or a defect here: null
)

// reasons are the names, in the order of the constants.
var reasons = [...]string{
	"none", "unsupported", "non-finite", "big-integer", "invalid-utf8", "invalid-json", "invalid-number",
	"cycle", "too-deep", "too-large", "method-error", "method-panic", "method-exit", "method-timeout",
	"unknown-enum", "string-fallback", "duplicate-key", "time-range", "internal",
}

// String returns the reason's name.
func (r Reason) String() string {
	if int(r) < len(reasons) {
		return reasons[r]
	}
	return "Reason(" + strconv.Itoa(int(r)) + ")"
}

// newReport returns the Report on out, the whole output of w.
func newReport(w *output.Writer, out []byte) Report {
	list, tally := w.Repairs(out), w.Tally()
	r := Report{Repairs: make([]Repair, len(list)), Total: tally.Total(), reasons: tally.Reasons()}
	for i, l := range list {
		r.Repairs[i] = newRepair(l)
	}
	return r
}

func newRepair(r output.Repair) Repair {
	goType := "nil"
	if r.Type != nil {
		goType = r.Type.String()
	}
	return Repair{Pointer: r.Pointer, GoType: goType, Reason: Reason(r.Reason), Wrote: r.Text, Detail: r.Detail}
}
