// Package hcloud maps the Hetzner Cloud provider onto Pulumi's type tokens.
package hcloud

import (
	"context"

	"github.com/hetznercloud/terraform-provider-hcloud/hcloud"
	pfbridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
)

// Version is that of the Python SDK whose tokens this plugin serves.
const Version = "1.43.3"

// nameLength is the longest automatic name, as in the official plugin.
const nameLength = 255

// Provider describes the plugin; metadata is the bridge-metadata.json that cmd/schema wrote ("{}" while it writes).
func Provider(metadata []byte) tfbridge.ProviderInfo {
	p := pfbridge.MuxShimWithPF(
		context.Background(), sdkv2.NewProvider(hcloud.Provider()), hcloud.NewPluginProvider())
	info := tfbridge.ProviderInfo{
		P:            p,
		Name:         "hcloud",
		DisplayName:  "Hetzner Cloud",
		Description:  "Hetzner Cloud resources, built from the upstream provider.",
		License:      "MPL-2.0",
		Repository:   "https://github.com/hetznercloud/terraform-provider-hcloud",
		GitHubOrg:    "hetznercloud",
		Version:      Version,
		Resources:    map[string]*tfbridge.ResourceInfo{},
		MetadataInfo: tfbridge.NewProviderMetadata(metadata),
	}
	acceptIntegerIDs(&info)
	info.MustComputeTokens(tokens.SingleModule("hcloud_", "index", tokens.MakeStandard("hcloud")))
	info.SetAutonaming(nameLength, "-")
	return info
}

// acceptIntegerIDs shows integer ids as strings: Pulumi knows no other kind of id.
func acceptIntegerIDs(info *tfbridge.ProviderInfo) {
	info.P.ResourcesMap().Range(func(name string, resource shim.Resource) bool {
		if id, ok := resource.Schema().GetOk("id"); ok && id.Type() == shim.TypeInt {
			info.Resources[name] = &tfbridge.ResourceInfo{
				Fields: map[string]*tfbridge.SchemaInfo{"id": {Type: "string"}},
			}
		}
		return true
	})
}
