// Package std tells the standard library from other packages, by import path.
package std

// first has the first elements of the import paths of the standard library.
var first = map[string]bool{}

func init() {
	for _, name := range []string{
		"archive", "arena", "bufio", "bytes", "cmp", "compress", "container", "context", "crypto", "database", "debug",
		"embed", "encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image", "index", "internal", "io",
		"iter", "log", "maps", "math", "mime", "net", "os", "path", "plugin", "reflect", "regexp", "runtime", "simd", "slices",
		"sort", "strconv", "strings", "structs", "sync", "syscall", "testing", "text", "time", "unicode", "unique", "unsafe",
		"vendor", "weak",
	} {
		first[name] = true
	}
}

// Is reports whether a path is one of the standard library.
func Is(path string) bool {
	for i := range len(path) {
		if path[i] == '/' {
			return first[path[:i]]
		}
	}
	return first[path]
}
