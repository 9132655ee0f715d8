package natsembed

import (
	"os"
	"strings"
)

// bootID names this run of the kernel, or is empty where the system does not
// tell: then each unclean end counts as a loss of power.
func bootID() string {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
