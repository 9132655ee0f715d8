package auth_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/surewire/surewire/auth"
)

// A backend signs, and the server checks.
func Example() {
	secret := auth.Secret("made with openssl rand -hex 32, and kept from everybody")
	signer, err := auth.NewSigner(auth.SignerConfig{Secret: secret})
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := auth.New(auth.Config{Keys: []auth.Key{{Secret: secret}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer verifier.Close()

	token, err := signer.Subscription(auth.Subscription{
		Token:   auth.Token{User: "42", ValidUntil: time.Now().Add(10 * time.Minute)},
		Channel: "run:7",
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	s, err := verifier.Subscription(context.Background(), token)
	fmt.Println(s.User, s.Channel, err)
	fmt.Println(s.Allows("42", "any client", "run:8"))

	_, err = verifier.Connection(context.Background(), token)
	fmt.Println(errors.Is(err, auth.ErrInvalid), err)
	// Output:
	// 42 run:7 <nil>
	// token is invalid: it is for another channel
	// true token is invalid: it is a subscription token
}
