package enginetest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/enginetest"
	"github.com/surewire/surewire/memengine"
)

// faultVariable tells a child of this test which fault its engine has.
const faultVariable = "ENGINETEST_FAULT"

// Each fault breaks one promise: the cases that must see it.
var faults = []struct{ fault, seenBy string }{
	{"skips an offset", "TestBroken/Offsets"},
	{"empty epoch", "TestBroken/Offsets"},
	{"mixes channels", "TestBroken/ManyChannels"},
	{"reverses history", "TestBroken/ConcurrentPublish"},
	{"delivers twice", "TestBroken/Subscribe"},
	{"delivers not", "TestBroken/Subscribe"},
	{"delivers old", "TestBroken/Subscribe"},
	{"delivers astray", "TestBroken/Subscribe"},
	{"delivers not", "TestBroken/SubscribeWhilePublishing"},
	{"delivers not", "TestBroken/SubscribeStorm"},
	{"ignores cancel", "TestBroken/SubscribeStorm"},
	{"delivers at once", "TestBroken/OneAtATime"},
	{"ignores cancel", "TestBroken/Cancel"},
	{"ignores the limit", "TestBroken/History"},
	{"reverses history", "TestBroken/History"},
	{"skips between pages", "TestBroken/HistoryPages"},
	{"fears large limits", "TestBroken/HistoryPages"},
	{"always complete", "TestBroken/HistoryEpoch"},
	{"ignores TTLs", "TestBroken/MessageTTL"},
	{"always complete", "TestBroken/MessageTTL"},
	{"stores doubles", "TestBroken/Duplicate"},
	{"stores doubles at once", "TestBroken/ConcurrentDuplicates"},
	{"keeps ephemeral", "TestBroken/Ephemeral"},
	{"ephemeral overtakes", "TestBroken/EphemeralOrder"},
	{"drops kinds", "TestBroken/EphemeralOrder"},
	{"drops tags", "TestBroken/Content"},
	{"drops who published", "TestBroken/Content"},
	{"drops traces", "TestBroken/Content"},
	{"takes any channel", "TestBroken/BadChannel"},
	{"ignores contexts", "TestBroken/Canceled"},
	{"works when closed", "TestBroken/Close"},
	{"vague when closed", "TestBroken/CloseWhilePublishing"},
	{"lies when closed", "TestBroken/CloseWhilePublishing"},
	{"overtakes itself", "TestBroken/PublishAsync"},
	{"tells twice", "TestBroken/PublishAsync"},
	{"tells nobody", "TestBroken/PublishAsync"},
	{"stores doubles", "TestBroken/PublishAsync"},
	{"ignores contexts", "TestBroken/PublishAsync"},
	{"ill", "TestBroken/Healthy"},
	{"healthy when closed", "TestBroken/Healthy"},
	{"removes nothing", "TestBroken/RemoveHistory"},
	{"removes the log", "TestBroken/RemoveHistory"},
	{"removes all channels", "TestBroken/RemoveHistory"},
	{"removes when closed", "TestBroken/RemoveHistory"},
	{"ignores bounds", "TestBrokenBounds/Size"},
	{"ignores bounds", "TestBrokenBounds/TTL"},
	{"ignores bounds", "TestBrokenBounds/Oversize"},
	{"always complete", "TestBrokenBounds/Size"},
	{"always complete", "TestBrokenBounds/TTL"},
	{"stores doubles", "TestBrokenBounds/IDs"},
	{"loses all", "TestBrokenDurability/Restart"},
	{"forgets tags", "TestBrokenDurability/Restart"},
	{"forgets who published", "TestBrokenDurability/Restart"},
	{"counts anew", "TestBrokenDurability/Restart"},
	{"loses all", "TestBrokenDurability/RestartOften"},
	{"loses the newest", "TestBrokenDurability/RestartOften"},
	{"loses the newest", "TestBrokenDurability/RestartResume"},
	{"delivers to the dead", "TestBrokenDurability/RestartResume"},
	{"forgets IDs", "TestBrokenDurability/RestartIDs"},
	{"keeps ephemeral", "TestBrokenDurability/RestartEphemeral"},
	{"removes nothing", "TestBrokenDurability/RestartRemoved"},
	{"ignores bounds", "TestBrokenDurability/RestartSize"},
	{"ignores bounds", "TestBrokenDurability/RestartExpired"},
	{"counts anew", "TestBrokenDurability/RestartExpired"},
	{"ignores bounds", "TestBrokenDurability/RestartOversize"},
	{"stores doubles", "TestBrokenDurability/RestartUnknown"},
	{"forgets IDs", "TestBrokenDurability/RestartUnknown"},
}

// What a fault keeps from happening is not waited for as long as on a busy machine.
func TestMain(m *testing.M) {
	if os.Getenv(faultVariable) != "" {
		enginetest.WaitFor(3 * time.Second)
	}
	m.Run()
}

// A kit is worth what it finds. Its failures are those of a test, so that each
// broken engine is tested in a process of its own.
func TestKitFindsFaults(t *testing.T) {
	for _, f := range faults {
		t.Run(strings.ReplaceAll(f.fault, " ", "-")+"/"+f.seenBy, func(t *testing.T) {
			t.Parallel()
			run := "^" + strings.ReplaceAll(f.seenBy, "/", "$/^") + "$"
			cmd := exec.Command(os.Args[0], "-test.run="+run, "-test.v", "-test.timeout=60s")
			cmd.Env = append(os.Environ(), faultVariable+"="+f.fault)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: "+f.seenBy+" ") {
				t.Errorf("%s did not fail:\n%s", f.seenBy, out)
			}
		})
	}
}

// These pass: without the variable the engines have no fault.

func TestBroken(t *testing.T) {
	enginetest.Run(t, func(t *testing.T) surewire.Engine {
		wantFault(t)
		return newBroken(memengine.New(memengine.Config{}))
	})
}

func TestBrokenBounds(t *testing.T) {
	enginetest.RunBounded(t, func(t *testing.T, b enginetest.Bounds) surewire.Engine {
		wantFault(t)
		return newBroken(memengine.New(config(b)))
	})
}

func TestBrokenDurability(t *testing.T) {
	enginetest.RunDurable(t, func(t *testing.T, dir string, b enginetest.Bounds) surewire.Engine {
		wantFault(t)
		return newBroken(openDisk(dir, b))
	})
}

// wantFault sees to it that each case of the kit is known to find something.
func wantFault(t *testing.T) {
	for _, f := range faults {
		if f.seenBy == t.Name() {
			return
		}
	}
	t.Errorf("no fault is known that %s must see", t.Name())
}

// An engine need not have what is optional, and is not tested for it.
func TestWithoutOptions(t *testing.T) {
	skipped := 0
	enginetest.Run(t, func(t *testing.T) surewire.Engine {
		t.Cleanup(func() {
			if t.Skipped() {
				skipped++
			}
		})
		return struct{ surewire.Engine }{memengine.New(memengine.Config{})}
	})
	if skipped != 3 {
		t.Errorf("%d cases were skipped, want those of AsyncPublisher, HealthChecker and HistoryRemover", skipped)
	}
}

// config makes an engine in memory keep what the kit asks for.
func config(b enginetest.Bounds) memengine.Config {
	if os.Getenv(faultVariable) == "ignores bounds" {
		return memengine.Config{}
	}
	return memengine.Config{HistorySize: b.Retention.Size, HistoryTTL: b.Retention.TTL, MaxSize: b.MaxSize}
}
