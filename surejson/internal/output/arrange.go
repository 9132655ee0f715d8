package output

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/surewire/surewire/surejson/internal/token"
)

// Arrange sorts keys by name, bytewise, and makes names differ: all but the
// first of equal ones get the suffix #2, #3 and so on. Keys of different types
// are taken in the order of their types' names. Names that are not UTF-8 are
// compared as they will read.
func Arrange(keys []Key) {
	slices.SortStableFunc(keys, func(a, b Key) int { return strings.Compare(a.Name, b.Name) })
	distinct := true
	for i, k := range keys {
		distinct = distinct && token.Valid(k.Name) && (i == 0 || k.Name != keys[i-1].Name)
	}
	if distinct {
		return
	}
	slices.SortStableFunc(keys, func(a, b Key) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(fmt.Sprint(a.Type), fmt.Sprint(b.Type)))
	})
	used := make(map[string]int, len(keys)) // the last suffix of each name
	var others []*Key
	for i := range keys {
		k := &keys[i]
		if _, found := used[k.Name]; found || !token.Valid(k.Name) {
			others = append(others, k)
			continue
		}
		used[k.Name] = 1
	}
	for _, k := range others {
		rename(k, used)
	}
}

// rename gives k a name that is not used.
func rename(k *Key, used map[string]int) {
	name := string([]rune(k.Name)) // each byte that is no part of a character becomes U+FFFD
	if used[name] == 0 {
		used[name] = 1
		k.Reason = InvalidUTF8 // and the name is mended when it is written
		return
	}
	for used[k.Name] > 0 || k.Name == name || !token.Valid(k.Name) {
		used[name]++
		k.Name = name + "#" + strconv.Itoa(used[name])
	}
	used[k.Name], k.Reason = 1, DuplicateKey
}
