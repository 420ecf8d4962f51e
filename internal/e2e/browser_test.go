package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/e2e/parts"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// browser is the one Chromium of a run. It reaches loopback and nothing else.
type browser struct{ ctx context.Context }

// sharedBrowser starts it when the first test wants it.
var sharedBrowser = sync.OnceValues(launchBrowser)

func startBrowser(t testing.TB) *browser {
	t.Helper()
	_, _, missing := installed.Chromium()
	parts.Need(t, missing)
	b, err := sharedBrowser()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func launchBrowser() (*browser, error) {
	program, env, err := installed.Chromium()
	if err != nil {
		return nil, err
	}
	said := &output{}
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(program), chromedp.Env(env...), chromedp.CombinedOutput(said),
		chromedp.UserDataDir(filepath.Join(scratch, "browser")),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-default-apps", true),
		chromedp.Flag("disable-extensions", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-background-timer-throttling", true),
		chromedp.Flag("disable-renderer-backgrounding", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"),
	)
	ctx, _ := chromedp.NewContext(allocator)
	// Without a time limit: the context of the first step is the browser's own.
	if err := chromedp.Do(ctx); err != nil {
		stop()
		return nil, fmt.Errorf("start the browser: %w\n%s", err, said)
	}
	atTheEnd(func() {
		limited, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if err := chromedp.Cancel(limited); err != nil {
			fmt.Fprintln(os.Stderr, "e2e: end the browser:", err)
		}
		stop()
	})
	return &browser{ctx}, nil
}

// person is somebody with cookies and storage of their own, as in another browser.
type person struct {
	t     testing.TB
	first context.Context // of the first tab, which the others share the cookies with
	tabs  []*tab
}

// tab is a page of a person. Its methods end the test where a step fails.
type tab struct {
	t   testing.TB
	ctx context.Context
}

// person opens a browser for somebody new, without a tab. When the test has failed,
// each tab is in the test's artifacts as a picture (go test -artifacts keeps them).
func (b *browser) person(t testing.TB) *person {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("a person's browser: %v", err)
	}
	p := &person{t: t, first: ctx}
	t.Cleanup(p.report)
	return p
}

// open opens a tab.
func (p *person) open() *tab {
	p.t.Helper()
	ctx := p.first
	if len(p.tabs) > 0 {
		ctx, _ = chromedp.NewContext(p.first) // ends with the first, after the report
		if err := chromedp.Do(ctx); err != nil {
			p.t.Fatalf("a tab: %v", err)
		}
	}
	b := &tab{p.t, ctx}
	p.tabs = append(p.tabs, b)
	return b
}

// cookies are all that the person's browser keeps, of every host, by name.
func (p *person) cookies() map[string]*network.Cookie {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.first, patience)
	defer cancel()
	got, err := chromedp.CallBrowser(ctx, storage.GetCookies, storage.GetCookiesParams{
		BrowserContextID: chromedp.FromContext(p.first).BrowserContextID,
	})
	if err != nil {
		p.t.Fatalf("cookies: %v", err)
	}
	byName := map[string]*network.Cookie{}
	for _, c := range got.Cookies {
		byName[c.Name] = c
	}
	return byName
}

// report shows what a failed test had before its eyes.
func (p *person) report() {
	if !p.t.Failed() {
		return
	}
	for i, b := range p.tabs {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		if text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("location.origin + location.pathname + '\\n' + document.body.innerText")); err == nil {
			p.t.Logf("tab %d: %s", i, clip([]byte(text), 2000))
		}
		if picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot()); err == nil {
			file := filepath.Join(p.t.ArtifactDir(), fmt.Sprintf("tab-%d.png", i))
			if err := os.WriteFile(file, picture, 0o600); err == nil {
				p.t.Logf("tab %d: %s", i, file)
			}
		}
		cancel()
	}
}

// step runs one step of a tab within patience.
func step[T any](b *tab, what string, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	return v
}

// visit goes to a page, through all redirects, and returns the last status.
func (b *tab) visit(url string) int {
	b.t.Helper()
	res := step(b, "go to a page", chromedp.NavigateResponse(url))
	if res == nil {
		return 0 // about:blank and the like
	}
	return int(res.Status)
}

// fill types into the field that the CSS selector names, in place of what is there.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	step(b, "empty "+selector, chromedp.Clear(chromedp.CSS(selector)))
	step(b, "type into "+selector, chromedp.SendKeys(chromedp.CSS(selector), text))
}

// click clicks, and does not wait for what comes of it.
func (b *tab) click(selector string) {
	b.t.Helper()
	step(b, "click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// text is what a person reads there.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return step(b, "read "+selector, chromedp.Text(chromedp.CSS(selector)))
}

func (b *tab) title() string { b.t.Helper(); return step(b, "title", chromedp.Title()) }

func (b *tab) url() string { b.t.Helper(); return step(b, "location", chromedp.Location()) }

// eval stores what an expression of JavaScript gives, awaited if it is a promise,
// into a pointer; nil throws it away.
func (b *tab) eval(expression string, into any) {
	b.t.Helper()
	value := step(b, "evaluate "+string(clip([]byte(expression), 80)), evaluate(expression))
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(value), into); err != nil {
		b.t.Fatalf("%s gave %s: %v", expression, clip([]byte(value), 200), err)
	}
}

// evaluate gives the value as JSON, and null for what has none.
func evaluate(expression string) chromedp.Action[string] {
	return chromedp.Evaluate[string]("(async () => JSON.stringify(await ("+expression+")) ?? 'null')()", chromedp.EvalAwaitPromise)
}

// wait polls until the expression of JavaScript is true, over page loads too: the one
// in which it was asked may be gone.
func (b *tab) wait(what, expression string) {
	b.t.Helper()
	var last error
	await(b.t, what, func() bool {
		ctx, cancel := context.WithTimeout(b.ctx, time.Second)
		defer cancel()
		var v string
		v, last = chromedp.Run(ctx, evaluate("Boolean("+expression+")"))
		return last == nil && v == "true"
	}, func() string { return fmt.Sprintf("%s: %v", expression, last) })
}
