// Package surejson stands in for the encoder that takes every value.
package surejson

type Report struct{ Total int }

func Marshal(v any) ([]byte, Report) { return nil, Report{} }
