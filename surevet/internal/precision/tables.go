package main

import (
	"cmp"
	"fmt"
	"io"
	"log"
	"strings"
)

// tables writes the tables to w, and reports whether they are as they should be.
func tables(w io.Writer, results []result, judged map[judgedKey]verdict) bool {
	fine := true
	fmt.Fprintln(w, "| module | packages | lines | of them generated | findings | bugs | worth a change | unwanted |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|")
	var all result
	sum := map[string]int{}
	for _, r := range results {
		tally := map[string]int{}
		for _, f := range r.findings {
			tally[judged[r.key(f)].word]++
		}
		row(w, r, r.short()+" "+version(r.version), tally)
		all.packages += r.packages
		all.lines += r.lines
		all.generated += r.generated
		all.findings = append(all.findings, r.findings...)
		for word, n := range tally {
			sum[word] += n
		}
	}
	row(w, all, "together", sum)
	fmt.Fprintln(w, "\n| rule | where | what | judged |")
	fmt.Fprintln(w, "|---|---|---|---|")
	for _, r := range results {
		found := map[judgedKey]bool{}
		for _, f := range r.findings {
			v, ok := judged[r.key(f)]
			again := found[r.key(f)]
			found[r.key(f)] = true
			if !ok {
				fine = false
				log.Printf("not judged: %s %s %s: %s", r.short(), f.code, f.place, f.message)
			}
			if again {
				continue // several at one place have one row
			}
			fmt.Fprintf(w, "| %s | %s `%s` | %s | %s |\n", f.code, r.short(), f.place, v.why, cmp.Or(v.word, "?"))
		}
		for k := range judged {
			if k.module == r.short() && !found[k] {
				fine = false
				log.Printf("judged, and not found any more: %s %s %s", k.module, k.code, k.place)
			}
		}
	}
	checked := all.lines - all.generated
	rate := float64(sum[unwanted]) * 100_000 / float64(checked)
	fmt.Fprintf(w, "\n%.2f unwanted findings per 100,000 lines that are not generated (%s).\n", rate, thousands(checked))
	return fine && rate <= 1
}

// key returns what judged.txt calls a finding.
func (r *result) key(f finding) judgedKey { return judgedKey{r.short(), f.code, f.place} }

// version shortens the version of a commit to its day.
func version(v string) string {
	if day, ok := strings.CutPrefix(v, "v0.0.0-"); ok && len(day) > 8 {
		return fmt.Sprintf("%s-%s-%s", day[:4], day[4:6], day[6:8])
	}
	return strings.TrimPrefix(v, "v")
}

func row(w io.Writer, r result, name string, tally map[string]int) {
	fmt.Fprintf(w, "| %s | %d | %s | %s | %d | %d | %d | %d |\n", name, r.packages, thousands(r.lines), thousands(r.generated),
		len(r.findings), tally[bug], tally[change], tally[unwanted])
}

// thousands writes n with a comma every three digits.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
