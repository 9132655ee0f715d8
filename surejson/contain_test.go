package surejson_test

import (
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

var nanoseconds = regexp.MustCompile(`([\d.]+) ns/op`)

// layouts is how many orders of functions are measured: where the linker puts
// a function can change a time by more than containment does.
const layouts = 9

// turns is how often the two of a layout take turns: what else the machine does
// changes over seconds.
const turns = 5

// BenchmarkContainment says by how many percent containment makes encoding
// slower. It builds this package in several layouts, each with and without the
// tag uncontained, and takes the median of the layouts.
func BenchmarkContainment(b *testing.B) {
	var binaries [layouts][2]string
	for i := range binaries {
		for j, tag := range []string{"", "uncontained"} {
			binaries[i][j] = filepath.Join(b.TempDir(), "bench"+tag)
			layout := fmt.Sprintf("-ldflags=-randlayout=%d", i+1)
			if out, err := exec.Command("go", "test", "-c", layout, "-tags", tag, "-o", binaries[i][j], ".").CombinedOutput(); err != nil {
				b.Skipf("%v: %s", err, out)
			}
		}
	}
	for _, v := range benchmarkValues() {
		b.Run(v.name, func(b *testing.B) {
			var costs []float64
			for b.Loop() {
				costs = costs[:0]
				for _, pair := range binaries {
					least := [2]float64{math.Inf(1), math.Inf(1)}
					for i := range 2 * turns {
						least[i%2] = min(least[i%2], fastest(b, pair[i%2], v.name))
					}
					costs = append(costs, 100*(least[0]/least[1]-1))
				}
				slices.Sort(costs)
			}
			b.ReportMetric(costs[layouts/2], "%")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// fastest measures many times for a short time each and returns the least:
// other work on the machine makes some slower and none faster.
func fastest(b *testing.B, binary, value string) float64 {
	b.Helper()
	out, err := exec.Command(binary, "-test.run=^$", "-test.bench=BenchmarkAppend/"+value, "-test.benchtime=2ms", "-test.count=12").CombinedOutput()
	least := math.Inf(1)
	for _, found := range nanoseconds.FindAllSubmatch(out, -1) {
		ns, _ := strconv.ParseFloat(string(found[1]), 64)
		least = min(least, ns)
	}
	if err != nil || math.IsInf(least, 1) {
		b.Fatalf("%v: %s", err, out)
	}
	return least
}
