package generate

import "encoding/json"

type Color uint8

const (
	Red Color = iota
	Green
)

func encode(c []Color) ([]byte, error) { return json.Marshal(c) } // want `\[\]Color is written as base64`
