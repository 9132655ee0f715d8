//go:build uncontained

package contain

const On = false
