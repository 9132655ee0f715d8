package surewire

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxChannelLength is the longest channel name, in bytes.
const MaxChannelLength = 255

// CheckChannel returns nil if name can name a channel: 1 to [MaxChannelLength]
// bytes of printable UTF-8 without spaces. Otherwise the error wraps
// [ErrChannel] and says what is wrong, and where.
func CheckChannel(name string) error {
	if name == "" {
		return fmt.Errorf("%w: it is empty", ErrChannel)
	}
	if len(name) > MaxChannelLength {
		return fmt.Errorf("%w: %d bytes are more than %d", ErrChannel, len(name), MaxChannelLength)
	}
	for i, r := range name {
		if '!' <= r && r <= '~' {
			continue
		}
		if _, n := utf8.DecodeRuneInString(name[i:]); r == utf8.RuneError && n == 1 {
			return fmt.Errorf("%w: byte %#02x at offset %d is not UTF-8", ErrChannel, name[i], i)
		}
		if !unicode.IsPrint(r) || r == ' ' {
			return fmt.Errorf("%w: %U at offset %d is not allowed", ErrChannel, r, i)
		}
	}
	return nil
}

// ChannelUsers returns whom channel is for, if it says so: "chat#42" and
// "chat:a#42,43" are for the users 42 and 43 alone, whoever begins a
// subscription. It reports false if channel does not.
func ChannelUsers(channel string) ([]string, bool) {
	_, list, ok := strings.Cut(channel, "#")
	if !ok {
		return nil, false
	}
	return slices.DeleteFunc(strings.Split(list, ","), func(u string) bool { return u == "" }), true
}

// MayRead reports whether user may read channel, as far as its name says.
func MayRead(user, channel string) bool {
	users, limited := ChannelUsers(channel)
	return !limited || user != "" && slices.Contains(users, user)
}
