// Package profile serves the profiles of the process in the form that go tool
// pprof and go tool trace read. It stands in for net/http/pprof, which adds its
// handlers to [http.DefaultServeMux] of every program that has it among its
// imports, and so to the public port of some.
package profile

import (
	"fmt"
	"io"
	"net/http"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"time"
)

// maxDuration bounds the profiles that take a while.
const maxDuration = 5 * time.Minute

// Handler answers below prefix, "/debug/pprof/": profile, which is of the
// processor, and trace take ?seconds, others, such as heap and goroutine, are of
// the moment and take ?debug=1 for text. The prefix itself lists them.
func Handler(prefix string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+prefix+"{$}", list)
	mux.HandleFunc("GET "+prefix+"profile", during(30*time.Second, pprof.StartCPUProfile, pprof.StopCPUProfile))
	mux.HandleFunc("GET "+prefix+"trace", during(time.Second, trace.Start, trace.Stop))
	mux.HandleFunc("GET "+prefix+"{name}", moment)
	return mux
}

func list(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprint(w, "profile?seconds=30\ntrace?seconds=1\n")
	for _, p := range pprof.Profiles() {
		fmt.Fprintf(w, "%s?debug=1 (%d)\n", p.Name(), p.Count())
	}
}

// moment writes a profile of what is now.
func moment(w http.ResponseWriter, r *http.Request) {
	p := pprof.Lookup(r.PathValue("name"))
	if p == nil {
		http.Error(w, "there is no such profile", http.StatusNotFound)
		return
	}
	debug, _ := strconv.Atoi(r.FormValue("debug"))
	if debug == 0 {
		w.Header().Set("Content-Type", "application/octet-stream")
	}
	p.WriteTo(w, debug)
}

// during writes what is recorded from begin to end; otherwise says for how long if
// the request does not.
func during(otherwise time.Duration, begin func(io.Writer) error, end func()) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d := otherwise
		if s := r.FormValue("seconds"); s != "" {
			n, err := strconv.ParseFloat(s, 64)
			if err != nil || !(n > 0 && n <= maxDuration.Seconds()) {
				http.Error(w, fmt.Sprintf("seconds: want a number, at most %v", maxDuration.Seconds()), http.StatusBadRequest)
				return
			}
			d = time.Duration(n * float64(time.Second))
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		if err := begin(w); err != nil {
			http.Error(w, err.Error(), http.StatusConflict) // another is being recorded
			return
		}
		select {
		case <-time.After(d):
		case <-r.Context().Done():
		}
		end()
	}
}
