package cat

// Unfit returns why people who hold these permissions would be refused what they may
// do, since no account fits; nil if each of their requests has one. With pluginsOnly
// the others go out with the Cat's key.
func Unfit(accounts []Account, held Permissions, contract *Contract, pluginsOnly bool) *NoAccountError {
	var missing *NoAccountError
	for _, r := range contract.Routes() {
		if r.Admin || !held.Has(r.Needs) || pluginsOnly && !r.Plugins {
			continue
		}
		if _, err := Choose(accounts, held, r); err != nil {
			if missing == nil {
				missing = &NoAccountError{Most: held & all, Pattern: r.Pattern}
			}
			missing.Needs |= r.atCat()
		}
	}
	return missing
}
