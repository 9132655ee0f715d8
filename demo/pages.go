package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// policy lets the page load what this server serves and connect back to it, and
// nothing else: no inline script or style, and no string that becomes markup.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// contentTypes are spelled out: package mime asks the machine it runs on.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8",
}

// A page is one embedded file.
type page struct {
	body        []byte
	contentType string
	etag        string
}

// pages serves embedded files by their path. It is read-only once built.
type pages map[string]page

// newPages reads the files of dist, and serves its index.html at "/" too. It
// panics if a file has no content type: that is a mistake of the build.
func newPages(dist fs.FS) pages {
	all := pages{}
	err := fs.WalkDir(dist, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(dist, name)
		if err != nil {
			return err
		}
		contentType := contentTypes[path.Ext(name)]
		if contentType == "" {
			panic("demo: no content type for " + name)
		}
		sum := sha256.Sum256(body)
		all["/"+strings.TrimPrefix(name, "dist/")] = page{body, contentType, `"` + hex.EncodeToString(sum[:12]) + `"`}
		return nil
	})
	if err != nil {
		panic("demo: " + err.Error())
	}
	all["/"] = all["/index.html"]
	return all
}

// ServeHTTP implements http.Handler. Files are named without a version, so a
// browser keeps them but asks each time whether they are still the same.
func (all pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p, ok := all[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refuse(w, http.StatusMethodNotAllowed, "GET, HEAD", "pages are only read")
		return
	}
	h := w.Header()
	h.Set("Content-Type", p.contentType)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", p.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.body))
}

var _ http.Handler = pages(nil)
