package surejson_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"iter"
	"log/slog"
	"math"
	"math/big"
	"net/http"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/surewire/surewire/surejson"
)

var update = flag.Bool("update", false, "write the table of docs/serialization.md anew")

const (
	docFile  = "../docs/serialization.md"
	docBegin = "<!-- table: go test ./surejson -run TestDocs -update -->\n"
	docEnd   = "<!-- end of table -->\n"
)

type docState int

const (
	docConnecting docState = iota
	docConnected
)

func (s docState) String() string {
	if s < 0 || s > docConnected {
		return fmt.Sprintf("State(%d)", int(s))
	}
	return [...]string{"connecting", "connected"}[s]
}

type docPanics struct{}

func (docPanics) MarshalJSON() ([]byte, error) { panic("no") }

type docFails struct{}

func (docFails) MarshalJSON() ([]byte, error) { return nil, errors.New("no") }

type docInjects struct{}

func (docInjects) MarshalJSON() ([]byte, error) { return []byte(`1,"admin":true`), nil }

type docText struct{ text string }

func (t docText) String() string { return t.text }

type docNode struct {
	Next *docNode
}

// docRows are the rows of the table: how the value reads in Go, and the value.
func docRows() [][2]any {
	loop := &docNode{}
	loop.Next = loop
	var counter atomic.Int64
	counter.Store(7)
	var shared sync.Map
	shared.Store("a", 1)
	var nowhere *docNode
	return [][2]any{
		{"Enums", nil},
		{"`Connected`, an `int` with `String`", docConnected},
		{"`State(7)`, out of its range", docState(7)},
		{"`map[State]int{Connected: 1}`", map[docState]int{docConnected: 1}},
		{"`[]State{…}`", []docState{docConnecting, docConnected}},
		{"`http.StatusOK`, an `int` without `String`", http.StatusOK},
		{"`slog.LevelInfo`, with `MarshalJSON`", slog.LevelInfo},
		{"Numbers", nil},
		{"`int64(1) << 53`", int64(1) << 53},
		{"`int64(1)<<53 + 1`", int64(1)<<53 + 1},
		{"`uint64(1) << 63`", uint64(1) << 63},
		{"`math.NaN()`", math.NaN()},
		{"`math.Inf(1)`", math.Inf(1)},
		{"`complex(1, 2)`", complex(1, 2)},
		{"`json.Number(\"1e3\")`", json.Number("1e3")},
		{"`json.Number(\"0x1\")`", json.Number("0x1")},
		{"`big.NewInt(1).Lsh(…, 64)`", new(big.Int).Lsh(big.NewInt(1), 64)},
		{"Texts and times", nil},
		{"`\"a\\xffb\"`", "a\xffb"},
		{"`\"<&>\"`", "<&>"},
		{"`[]byte(\"hi\")`", []byte("hi")},
		{"`1500 * time.Millisecond`", 1500 * time.Millisecond},
		{"`time.Date(2023, 1, 1, …)`", time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"`time.Date(10000, 1, 1, …)`", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"`netip.MustParseAddr(\"::1\")`", netip.MustParseAddr("::1")},
		{"Errors and texts of types", nil},
		{"`errors.New(\"out of disk\")`", errors.New("out of disk")},
		{"`fmt.Errorf(\"run: %w\", err)`", fmt.Errorf("run: %w", errors.New("out of disk"))},
		{"a struct with only `String` to show", docText{"text"}},
		{"What is nil", nil},
		{"`(*T)(nil)`", nowhere},
		{"`[]int(nil)`", []int(nil)},
		{"`map[string]int(nil)`", map[string]int(nil)},
		{"`struct{ *time.Time }{}`", struct{ *time.Time }{}},
		{"What JSON lacks", nil},
		{"`make(chan int)`", make(chan int)},
		{"`func() {}`", func() {}},
		{"`iter.Seq[int]`", iter.Seq[int](func(func(int) bool) {})},
		{"a pointer to its own struct", loop},
		{"Methods that misbehave", nil},
		{"`MarshalJSON` returns an error", docFails{}},
		{"`MarshalJSON` panics", docPanics{}},
		{"`MarshalJSON` returns `1,\"admin\":true`", docInjects{}},
		{"`json.RawMessage(\"{bad\")`", json.RawMessage("{bad")},
		{"`json.RawMessage(\"[9007199254740993]\")`", json.RawMessage("[9007199254740993]")},
		{"Maps", nil},
		{"`map[bool]int{true: 1}`", map[bool]int{true: 1}},
		{"`map[[2]int]string{{1, 2}: \"a\"}`", map[[2]int]string{{1, 2}: "a"}},
		{"`map[any]int{1: 1, \"1\": 2}`", map[any]int{1: 1, "1": 2}},
		{"Holders", nil},
		{"`*atomic.Int64`", &counter},
		{"`*sync.Map`", &shared},
		{"`reflect.ValueOf(7)`", reflect.ValueOf(7)},
		{"`slog.DurationValue(time.Second)`", slog.DurationValue(time.Second)},
	}
}

// TestDocs holds the table in the documentation to what the code does.
func TestDocs(t *testing.T) {
	var b strings.Builder
	for _, row := range docRows() {
		if row[1] == nil {
			fmt.Fprintf(&b, "\n**%s**\n\n| Go value | Surewire | reported as | encoding/json |\n|---|---|---|---|\n", row[0])
			continue
		}
		out, report := surejson.Marshal(row[1])
		var reasons []string
		for _, r := range report.Repairs {
			reasons = append(reasons, r.Reason.String())
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", row[0], code(string(out)), strings.Join(reasons, ", "), plain(row[1], string(out)))
	}
	page, err := os.ReadFile(docFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), docBegin)
	table, after, ok2 := strings.Cut(rest, docEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", docFile)
	}
	if table == b.String()+"\n" {
		return
	}
	if !*update {
		t.Fatalf("%s is not what the code does: run go test ./surejson -run TestDocs -update", docFile)
	}
	if err := os.WriteFile(docFile, []byte(before+docBegin+b.String()+"\n"+docEnd+after), 0o666); err != nil {
		t.Fatal(err)
	}
}

// code is s as code in a cell of a Markdown table.
func code(s string) string { return "`" + strings.ReplaceAll(s, "|", `\|`) + "`" }

// plain says what encoding/json does with v, where it is not the same.
func plain(v any, same string) (cell string) {
	defer func() {
		if recover() != nil {
			cell = "panics"
		}
	}()
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	switch err := e.Encode(v); {
	case err != nil:
		return "error: the message is lost"
	case strings.TrimSuffix(b.String(), "\n") == same:
		return "the same"
	}
	return code(strings.TrimSuffix(b.String(), "\n"))
}
