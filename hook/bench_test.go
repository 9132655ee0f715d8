package hook

import (
	"net/http"
	"testing"

	"github.com/surewire/surewire"
)

// The cost of a call apart from the network: encoding, signing, the breaker, the
// answer.
func BenchmarkPublish(b *testing.B) {
	c := newClient(b, Config{Secret: "key", Transport: backend(func(*http.Request) (*http.Response, error) {
		return says(200, `{"result":{"tags":{"by":"ada"}}}`), nil
	})})
	b.ReportAllocs()
	for b.Loop() {
		p := surewire.Publication{Data: raw(`{"text":"hello from a browser"}`)}
		if err := c.Publish(b.Context(), ada, "chat:1", &p); err != nil {
			b.Fatal(err)
		}
	}
}

// What an open breaker costs a call.
func BenchmarkOpenBreaker(b *testing.B) {
	c := newClient(b, Config{OpenAfter: 1, OpenFor: 1 << 60, Transport: backend(func(*http.Request) (*http.Response, error) { return nil, reset })})
	p := surewire.Publication{Data: raw(`{"text":"hello from a browser"}`)}
	b.ReportAllocs()
	for b.Loop() {
		c.Publish(b.Context(), ada, "chat:1", &p)
	}
}
