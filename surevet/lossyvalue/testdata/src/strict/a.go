package strict

import (
	"database/sql"
	"encoding/json"
	"net/url"
	"time"
)

type Post struct {
	ID      int64  // want `64-bit Post.ID may lose digits in JavaScript: use ,string \(SW305\)`
	Owner   uint64 `json:",string"`
	Small   int32
	For     time.Duration // want `Post.For is a time.Duration, written as nanoseconds \(SW306\)`
	ForNS   time.Duration `json:"for_ns"`
	Raw     []byte        // want `Post.Raw is written as base64 \(SW307\)`
	Hash    [4]byte       // want `Post.Hash is written as a list of numbers`
	Message json.RawMessage
	Wrong   string         `josn:"w"` // want `tag key "josn": did you mean json\? \(SW310\)`
	BSON    string         `bson:"w"`
	Ratio   float64        // want `Post.Ratio fails to encode if it is NaN or infinite \(SW311\)`
	Any     any            // want `Post.Any holds any type: what is written is not known here \(SW314\)`
	Null    sql.NullString // want `Post.Null is written as an object with Valid: use a pointer or a type that encodes as null \(SW315\)`
}

func post(p Post) ([]byte, error) { return json.Marshal(p) }

type Node struct {
	Parent *Node // want `Parent may lead back to its own parent, which then encodes itself: Marshal fails \(SW313\)`
	Kids   []*Node
}

type Tree struct{ Kids []*Tree }

type Chain struct{ Next *Chain }

func nodes(n Node, t Tree, c Chain) ([]byte, error) { return json.Marshal([]any{n, t, c}) }

func quotient(a, b float64) ([]byte, error) {
	return json.Marshal([]float64{a / b, a / 2}) // want `a / b may be NaN or infinite, which cannot be encoded`
}

func bare(err error) ([]byte, error) { return json.Marshal(err) } // want `error at error encodes as {}`

func dropped(v any) { b, _ := json.Marshal(v); println(b) } // want `error of json.Marshal discarded`

func link(u url.URL) { json.Marshal(u) } // want `url.Userinfo has no exported field and no marshaler`
