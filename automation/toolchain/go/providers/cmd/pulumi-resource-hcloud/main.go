// Command pulumi-resource-hcloud is the provider plugin.
package main

import (
	"context"
	_ "embed"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"

	"slipway.local/toolchain/providers/hcloud"
)

//go:embed schema.json
var schema []byte

//go:embed bridge-metadata.json
var metadata []byte

func main() {
	tfbridge.MainWithMuxer(context.Background(), "hcloud", hcloud.Provider(metadata), schema)
}
