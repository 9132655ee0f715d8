package server_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/surewire/surewire/server"
)

// A description is an OpenAPI document that answers are held against.
type description struct {
	*jsonschema.Compiler
}

func describe(t *testing.T, document []byte) description {
	t.Helper()
	d := description{jsonschema.NewCompiler()}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.AddResource("api.json", doc); err != nil {
		t.Fatal(err)
	}
	return d
}

// check returns how text differs from the schema at a pointer.
func (d description) check(t *testing.T, pointer, text string) error {
	t.Helper()
	schema, err := d.Compile("api.json#" + pointer)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(v)
}

const ofContent = "/content/application~1json/schema"

// holds demands that a call is as the document says: its request, unless that was
// refused, and its answer.
func (d description) holds(t *testing.T, method, body string, status int, answer string) {
	t.Helper()
	at := "/paths/~1api~1" + method + "/post"
	if err := d.check(t, at+"/requestBody"+ofContent, body); err != nil && status == 200 {
		t.Errorf("%s %s was taken, but: %v", method, body, err)
	}
	responses := at + "/responses/default"
	if status == 200 {
		responses = at + "/responses/200"
	}
	if err := d.check(t, responses+ofContent, answer); err != nil {
		t.Errorf("%s answered %d %s, but: %v", method, status, answer, err)
	}
}

func TestOpenAPIIsOne(t *testing.T) {
	schema, err := os.ReadFile("testdata/openapi-3.1.json") // of the OpenAPI Initiative
	if err != nil {
		t.Fatal(err)
	}
	if err := describe(t, schema).check(t, "", string(server.OpenAPI())); err != nil {
		t.Error(err)
	}
	if err := describe(t, schema).check(t, "", strings.Replace(string(server.OpenAPI()), `"operationId"`, `"operationID"`, 1)); err == nil {
		t.Error("the schema of OpenAPI takes anything")
	}
	var doc struct {
		Components struct {
			Schemas map[string]json.RawMessage `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(server.OpenAPI(), &doc); err != nil {
		t.Fatal(err)
	}
	d := describe(t, server.OpenAPI())
	for name := range doc.Components.Schemas {
		if _, err := d.Compile("api.json#/components/schemas/" + name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(doc.Components.Schemas) < 20 {
		t.Errorf("there are %d schemas", len(doc.Components.Schemas))
	}
	for method, body := range map[string]string{
		"publish": `{"channel":"c","dta":1}`, "broadcast": `{"data":1}`, "history": `{"channel":"c","limit":"1"}`, "history_remove": `{}`, "info": `{"x":1}`,
	} {
		if err := d.check(t, "/paths/~1api~1"+method+"/post/requestBody"+ofContent, body); err == nil {
			t.Errorf("the document takes %s %s", method, body)
		}
	}
}

func TestOpenAPINeedsTheKey(t *testing.T) {
	_, web := open(t, server.Config{APIKey: "k"})
	for key, want := range map[string]int{"": 401, "x": 401, "k": 200} {
		req, err := http.NewRequest(http.MethodGet, web.URL+"/api/openapi.json", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-API-Key", key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("key %q: %s", key, resp.Status)
		}
	}
}
