// Command schema writes schema.json and bridge-metadata.json of one provider into a folder, for the plugin to embed.
//
//	schema NAME FOLDER
package main

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"

	"slipway.local/toolchain/providers/hcloud"
	"slipway.local/toolchain/providers/proxmoxve"
)

var providers = map[string]func(metadata []byte) tfbridge.ProviderInfo{
	"hcloud":    hcloud.Provider,
	"proxmoxve": proxmoxve.Provider,
}

func main() {
	if len(os.Args) != 3 || providers[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: schema hcloud|proxmoxve FOLDER")
		os.Exit(2)
	}
	name, folder := os.Args[1], os.Args[2]
	info := providers[name]([]byte("{}"))
	// The generator is a command line of its own and reads os.Args. Documentation and examples would need the
	// upstream's repository, and nobody reads them from a plugin.
	os.Args = []string{"tfgen", "schema", "--out", folder, "--skip-docs", "--skip-examples"}
	tfgen.MainWithMuxer(name, info)
}
