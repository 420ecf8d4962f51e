package fleet

import "time"

// Watch implements chat.Fleet.
func (f *Fleet) Watch(process string) func() {
	l := f.link(process)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.watched == 0 {
		l.heard = time.Now()
	}
	l.watched++
	stopped := false
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !stopped {
			stopped = true
			l.watched--
		}
	}
}

// beat gives signs of life to those who are watched, and looks for theirs.
func (f *Fleet) beat() {
	for f.sleep(f.o.times.beat) {
		for _, l := range f.allLinks() {
			l.mu.Lock()
			watched, quiet := l.watched > 0, time.Since(l.heard)
			if watched && len(l.waiting) < batch {
				l.add(entryBeat, nil)
			}
			l.mu.Unlock()
			if watched && quiet > f.o.times.silent {
				f.gone(l.to, "it is silent")
				l.mu.Lock()
				l.heard = time.Now() // once for each time
				l.mu.Unlock()
			}
		}
	}
}

func (f *Fleet) allLinks() []*link {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]*link, 0, len(f.links))
	for _, l := range f.links {
		list = append(list, l)
	}
	return list
}

func (f *Fleet) gone(process, why string) {
	f.o.Log.Warn("what was under way with another Catflap may be lost", "why", why)
	f.listener.Gone(process)
}
