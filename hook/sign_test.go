package hook

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/surewire/surewire/surejson"
)

// The expected value was made with:
// printf '1700000000.{"user":"42"}' | openssl dgst -sha256 -hmac key
func TestSign(t *testing.T) {
	got := sign("key", time.Unix(1700000000, 5e8), []byte(`{"user":"42"}`))
	if want := "t=1700000000,v1=ecbcda8c99b86a80af726639b500fcfdcc99090215e3dbc688bb182dd29a0d7e"; got != want {
		t.Errorf("signature is %s, want %s", got, want)
	}
}

func TestSecretsArePrintedMasked(t *testing.T) {
	cfg := Config{Secret: "hunter2"}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("", "config", cfg, "secret", cfg.Secret)
	slog.New(surejson.NewHandler(&log, nil)).Info("", "config", cfg, "secret", cfg.Secret)
	for _, s := range []string{
		fmt.Sprint(cfg), fmt.Sprintf("%+v %#v %s %q %x", cfg, cfg, cfg.Secret, cfg.Secret, cfg.Secret), log.String(),
	} {
		if strings.Contains(s, "hunter2") || strings.Contains(s, fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("the secret is in %s", s)
		}
	}
	if (Secret("")).String() != "" {
		t.Error("no secret looks like one")
	}
}
