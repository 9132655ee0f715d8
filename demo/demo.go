// Package demo is the page of `surewire serve --dev`: a chat room, and a panel
// that publishes Go values other encoders fail on. The page is built from
// web/demo by `npm run build` in web, and embedded, so that Go alone runs it.
package demo

import (
	"context"
	"embed"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/surejson"
	"github.com/surewire/surewire/wire"
)

// Channel is where the hostile values are published.
const Channel = "hostile"

// Handlers are what the server does for the page, and for who tries things out:
// what clients publish to "typing:" channels is for those who look now, and an
// rpc of method "echo" answers with its data.
func Handlers() hub.Handlers {
	return hub.Handlers{
		Publish: func(_ context.Context, _ access.Client, channel string, p *surewire.Publication) error {
			p.Ephemeral = strings.HasPrefix(channel, "typing:")
			return nil
		},
		RPC: func(_ context.Context, _ access.Client, method string, data []byte) (any, error) {
			if method != "echo" {
				return nil, wire.ErrMethodNotFound
			}
			return json.RawMessage(data), nil
		},
	}
}

//go:embed dist
var dist embed.FS

// Handler serves the page, and publishes hostile values through p when the page
// asks for it. A POST that a browser sends on behalf of another site is refused:
// the server listens on loopback, where any page a person visits can reach it.
func Handler(p *surewire.Publisher) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/demo/hostile", list)
	mux.HandleFunc("/demo/hostile/{name}", func(w http.ResponseWriter, r *http.Request) { publish(w, r, p) })
	mux.Handle("/", newPages(dist))
	return http.NewCrossOriginProtection().Handler(mux)
}

// list answers with every hostile value, its source, and what encoding/json
// makes of it.
func list(w http.ResponseWriter, r *http.Request) {
	type item struct {
		Name   string  `json:"name"`
		Title  string  `json:"title"`
		Go     string  `json:"go"`
		Stdlib verdict `json:"stdlib"`
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refuse(w, http.StatusMethodNotAllowed, "GET, HEAD", "only GET lists the values")
		return
	}
	var items []item
	for _, h := range hostiles {
		items = append(items, item{h.name, h.title, snippet(h.fn), standard(h)})
	}
	answer(w, http.StatusOK, map[string]any{"channel": Channel, "values": items})
}

// publish publishes the value that the path names, and answers with the receipt.
func publish(w http.ResponseWriter, r *http.Request, p *surewire.Publisher) {
	h, ok := find(r.PathValue("name"))
	if !ok {
		answer(w, http.StatusNotFound, map[string]any{"error": "no such value", "names": names()})
		return
	}
	if r.Method != http.MethodPost {
		refuse(w, http.StatusMethodNotAllowed, http.MethodPost, "only POST publishes")
		return
	}
	receipt, err := p.Publish(r.Context(), Channel, h.value(), surewire.WithTags(map[string]string{"value": h.name}))
	if err != nil {
		answer(w, http.StatusServiceUnavailable, map[string]any{"error": err})
		return
	}
	answer(w, http.StatusOK, receiptView{h.name, snippet(h.fn), receipt.Position.Offset, receipt.Position.Epoch, receipt.Report})
}

// A receiptView is a [surewire.Receipt] as the page reads it.
type receiptView struct {
	Name   string          `json:"name"`
	Go     string          `json:"go"`
	Offset uint64          `json:"offset"`
	Epoch  string          `json:"epoch"`
	Report surejson.Report `json:"report"`
}

// refuse answers a request whose method is not among the allowed.
func refuse(w http.ResponseWriter, status int, allow, why string) {
	w.Header().Set("Allow", allow)
	answer(w, status, map[string]any{"error": why})
}

// lists writes a list without entries as one: the page loops over it.
var lists = &surejson.Encoder{NilAsEmpty: true}

// answer writes v as the JSON body.
func answer(w http.ResponseWriter, status int, v any) {
	body, _ := lists.Append(nil, v)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		slog.Debug("answer not written", "error", err) // the page has gone: nobody is left to tell
	}
}
