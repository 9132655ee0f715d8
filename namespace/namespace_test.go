package namespace_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/namespace"
)

// Every Who, for every kind of person, in every kind of channel.
func TestAdmits(t *testing.T) {
	people := []struct {
		name string
		p    namespace.Person
	}{
		{"anonymous", namespace.Person{}},
		{"anonymous subscriber", namespace.Person{Subscribed: true}},
		{"ada", namespace.Person{User: "ada"}},
		{"ada, subscribed", namespace.Person{User: "ada", Subscribed: true}},
		{"ada, with a token", namespace.Person{User: "ada", Named: true}},
		{"bob", namespace.Person{User: "bob"}},
		{"bob, with a token, subscribed", namespace.Person{User: "bob", Named: true, Subscribed: true}},
	}
	for _, c := range []struct {
		who     namespace.Who
		channel string
		want    string // a 1 for each of people who is admitted
	}{
		{namespace.Nobody, "c", "0000000"},
		{namespace.Token, "c", "0000101"},
		{namespace.Subscriber, "c", "0101001"},
		{namespace.User, "c", "0011111"},
		{namespace.Anyone, "c", "1111111"},
		{namespace.Nobody, "c#ada", "0000000"},
		{namespace.Token, "c#ada", "0011100"},
		{namespace.Subscriber, "c#ada", "0001000"},
		{namespace.User, "c#ada", "0011100"},
		{namespace.Anyone, "c#ada", "0011100"},
		{namespace.Anyone, "c#ada,bob", "0011111"},
		{namespace.Anyone, "c#", "0000000"},
		{namespace.Anyone, "c#,", "0000000"},
		{namespace.Who(99), "c", "0000000"},
	} {
		var got strings.Builder
		for _, p := range people {
			if c.who.Admits(p.p, c.channel) {
				got.WriteByte('1')
			} else {
				got.WriteByte('0')
			}
		}
		if got.String() != c.want {
			t.Errorf("%v in %q admits %s, want %s", c.who, c.channel, &got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	for channel, want := range map[string]string{
		"news": "", "run:42": "run", "run:42:a": "run", ":x": "", "chat#42": "", "chat:a#42": "chat", "a#b:c": "",
	} {
		if got := namespace.Name(channel); got != want {
			t.Errorf("%q is of %q, want %q", channel, got, want)
		}
	}
	for channel, want := range map[string]string{"c": "[] false", "c#": "[] true", "c#1,2": "[1 2] true", "c#1#2": "[1#2] true", "c:a#1": "[1] true"} {
		users, ok := surewire.ChannelUsers(channel)
		if got := fmt.Sprint(users, ok); got != want {
			t.Errorf("%q admits %s, want %s", channel, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		set  namespace.Set
		want string
	}{
		"nothing":        {nil, ""},
		"good":           {namespace.Set{"": {}, "run": {Subscribe: namespace.Token}}, ""},
		"a colon":        {namespace.Set{"a:b": {}}, `has no ":"`},
		"a space":        {namespace.Set{"a b": {}}, "not allowed"},
		"subscriber":     {namespace.Set{"a": {Subscribe: namespace.Subscriber}}, "could never begin"},
		"a negative TTL": {namespace.Set{"a": {HistoryTTL: -1}}, "not less than 0"},
	} {
		err := c.set.Check()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, ok := (namespace.Set{"": {}}).Of("run:1"); ok {
		t.Error("a namespace that is not configured was found")
	}
}

func TestWhoAsText(t *testing.T) {
	for w := namespace.Nobody; w <= namespace.Anyone; w++ {
		text, _ := w.MarshalText()
		var got namespace.Who
		if err := got.UnmarshalText(text); err != nil || got != w {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	var w namespace.Who
	if err := w.UnmarshalText([]byte("all")); err == nil || !strings.Contains(err.Error(), "nobody, token") {
		t.Errorf("%v", err)
	}
}
