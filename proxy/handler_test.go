package proxy

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/proxy/signin"
)

// TestNewNamesWhatIsMissing: all of it at once, and each by the name of its field.
func TestNewNamesWhatIsMissing(t *testing.T) {
	const want = "proxy.Options has no BodyIdle, BodyUnread, Cats, Chain, Contract, Credentials, Hub, Log, MaxHeaders, Now, Observe, Pages, PerAddress, " +
		"PerPerson, Policy, PublicURL, Sessions, UnderWay"
	if _, err := New(Options{SignIn: &signin.SignIn{}}); err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
	good := newLab(t, nil).handler.o
	_, list, _ := strings.Cut(want, " has no ")
	for name := range strings.SplitSeq(list, ", ") {
		o := good
		reflect.ValueOf(&o).Elem().FieldByName(name).SetZero()
		_, err := New(o)
		switch ofSignIn := slices.Contains([]string{"Sessions", "Pages", "PublicURL"}, name); {
		case ofSignIn && err != nil:
			t.Errorf("where nobody signs in, without %s: %v", name, err)
		case !ofSignIn && (err == nil || err.Error() != "proxy.Options has no "+name):
			t.Errorf("without %s: %v", name, err)
		}
	}
}
