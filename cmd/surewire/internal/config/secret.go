package config

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/surewire/surewire/auth"
)

// A Secret does not show itself. "@name" stands for what the file has.
type Secret struct{ auth.Secret }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Secret) UnmarshalText(text []byte) error {
	name, isFile := strings.CutPrefix(string(text), "@")
	if !isFile {
		s.Secret = slices.Clone(text)
		return nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if s.Secret = bytes.TrimRight(data, "\r\n"); len(s.Secret) == 0 {
		return fmt.Errorf("%s is empty", name)
	}
	return nil
}
