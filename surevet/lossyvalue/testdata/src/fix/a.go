package fix

import "encoding/json"

type Money struct{ cents int }

func (m *Money) MarshalJSON() ([]byte, error) { return json.Marshal(m.cents) }

type Cached struct{ text []byte }

// A method that writes keeps its receiver.
func (c *Cached) MarshalJSON() ([]byte, error) {
	c.text = []byte("1")
	return c.text, nil
}

type Bill struct {
	Total  Money
	Cached Cached
}

func encode(b Bill) ([]byte, error) { return json.Marshal(b) } // want `\(\*Money\).MarshalJSON is not called here` `\(\*Cached\).MarshalJSON is not called here`
