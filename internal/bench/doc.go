// Command bench measures what Catflap costs, side by side in one run: a bare
// httputil.ReverseProxy, nginx passing through, HAProxy verifying JWTs, and
// Catflap with the example's configuration.
//
// The rule it guards: only ratios that were taken inside one run are claims.
// The contenders run side by side and take each load in turn, medians of the
// rounds' ratios are compared, each contender is first proved to do what it is
// measured for, load and upstream are processes of their own, and the processor
// time is the kernel's account of every process of the contender. Everything
// stays on the loopback interface, is bounded in time, and ends by itself.
package main
