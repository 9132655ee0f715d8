package server

import (
	"maps"
	"net/http"
	"reflect"
	"slices"

	"github.com/surewire/surewire/server/internal/openapi"
)

// OpenAPI returns the OpenAPI 3.1 document of the HTTP API, in JSON. The bytes
// are the caller's. A server answers it at /api/openapi.json, with the API's key.
func OpenAPI() []byte {
	d := openapi.Document{
		Title: "Surewire HTTP API", Version: "1",
		Description: "For backends: publish, and see and control who is connected. The methods are those of Centrifugo.",
		Error:       reflect.TypeFor[apiError](),
		Security: map[string]openapi.Header{
			"key":           {Name: "X-API-Key", Description: "The key."},
			"authorization": {Name: "Authorization", Description: "apikey, a space, and the key."},
		},
		Operations: []openapi.Operation{{
			Path: "/api/batch", Name: "batch", Summary: "Several calls in one, in their order: one may fail, and the others not.",
			Request: reflect.TypeFor[batchRequest](), Result: reflect.TypeFor[batchResult](), Bare: true,
		}},
	}
	for _, name := range slices.Sorted(maps.Keys(methods)) {
		m := methods[name]
		d.Operations = append(d.Operations, openapi.Operation{
			Path: "/api/" + name, Name: name, Summary: m.summary, Request: m.request, Result: m.result,
		})
	}
	return openapi.Marshal(d)
}

// openAPI answers [OpenAPI].
func (s *Server) openAPI(w http.ResponseWriter, r *http.Request) {
	if !s.allowedAPI(w, r) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(OpenAPI())
}
