package cattest

import (
	"encoding/json"
	"fmt"
	"testing"
)

// filters: what a recall's filter by metadata finds among documents. A mark that is an
// object is compared member by member, and a member's name is not its path.
func (s *suite) filters(t *testing.T) {
	alice, quoted := s.name("alice"), s.name(`o'br"ien {}[] $or`)
	put := func(n int, metadata string) string {
		text := fmt.Sprintf("document %d of the filters %s", n, s.tag)
		s.askJSON(t, "POST", "/memory/collections/declarative/points", s.as(alice),
			fmt.Sprintf(`{"content":%q,"metadata":{"of":%q,%s}}`, text, s.tag, metadata)).want(t, ok)
		return text
	}
	owner, err := json.Marshal(quoted)
	if err != nil {
		t.Fatal(err)
	}
	first := put(0, fmt.Sprintf(`"mark":{"owner":%s,"chunk":0,"tags":["a","b"]}`, owner))
	second := put(1, fmt.Sprintf(`"mark":{"owner":%s,"chunk":1}`, owner))
	put(2, fmt.Sprintf(`"mark.owner":%s,"mark":"none"`, owner))
	put(3, fmt.Sprintf(`"mark":{"owner":{"owner":%s}},"Mark":{"owner":%s}`, owner, owner))
	put(4, fmt.Sprintf(`"mark":{"owner":"%s "}`, s.tag))
	for filter, want := range map[string]string{
		fmt.Sprintf(`{"owner":%s}`, owner):                        first + second,
		fmt.Sprintf(`{"owner":%s,"chunk":0}`, owner):              first,
		fmt.Sprintf(`{"owner":%s,"chunk":"0"}`, owner):            "",
		fmt.Sprintf(`{"owner":%s,"tags":"b"}`, owner):             first,
		fmt.Sprintf(`{"owner":%s,"tags":["a","b"]}`, owner):       first,
		fmt.Sprintf(`{"owner":%s,"tags":["a","c"]}`, owner):       "",
		fmt.Sprintf(`{"owner":%s,"chunk":{"chunk":0}}`, owner):    "",
		fmt.Sprintf(`{"owner":{"owner":%s},"chunk":0}`, owner):    "",
		fmt.Sprintf(`{"owner":%s,"document":"nothing"}`, owner):   "",
		fmt.Sprintf(`{"owner":[%s,"nobody at all"]}`, owner):      "",
		fmt.Sprintf(`{"owner":"%s","chunk":0}`, "nobody at all"):  "",
		fmt.Sprintf(`{"owner":%s,"chunk":1,"tags":"a"}`, owner):   "",
		fmt.Sprintf(`{"owner":%s,"chunk":1}`, owner):              second,
		fmt.Sprintf(`{"owner":%s,"chunk":1,"chunk":0}`, owner):    first,
		fmt.Sprintf(`{"owner":"%s%%","chunk":0}`, quoted[:1]):     "",
		fmt.Sprintf(`{"owner":%s,"unheard":true}`, owner):         "",
		fmt.Sprintf(`{"owner":%s,"chunk":[]}`, owner):             first + second,
		fmt.Sprintf(`{"owner":%s,"tags":[{"tags":"a"}]}`, owner):  "",
		fmt.Sprintf(`{"owner":%s,"chunk":0,"tags":[]}`, owner):    first,
		fmt.Sprintf(`{"owner":%s,"chunk":0,"tags":["a"]}`, owner): first,
	} {
		body := fmt.Sprintf(`{"text":"document","k":50,"metadata":{"of":%q,"mark":%s}}`, s.tag, filter)
		var v struct {
			Vectors struct {
				Collections struct {
					Declarative []struct {
						Text string `json:"page_content"`
					}
				}
			}
		}
		s.askJSON(t, "POST", "/memory/recall", s.as(alice), body).want(t, ok).into(t, &v)
		n := 0
		for _, m := range v.Vectors.Collections.Declarative {
			n += len(m.Text)
			if m.Text != first && m.Text != second {
				t.Errorf("%s finds %s", filter, m.Text)
			}
		}
		if n != len(want) {
			t.Errorf("%s finds %+v", filter, v.Vectors.Collections.Declarative)
		}
	}
	s.askJSON(t, "DELETE", "/memory/collections/declarative/points", s.as(alice), fmt.Sprintf(`{"of":%q}`, s.tag)).want(t, ok)
}
