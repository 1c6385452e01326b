// Package proxmoxve maps the Proxmox VE provider onto Pulumi's type tokens.
package proxmoxve

import (
	"context"
	"strings"

	"github.com/bpg/terraform-provider-proxmox/fwprovider"
	"github.com/bpg/terraform-provider-proxmox/proxmoxtf/provider"
	"github.com/ettle/strcase"
	pfbridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
)

const (
	// Version is that of the Python SDK whose tokens this plugin serves.
	Version = "8.6.0"

	pkg          = "proxmoxve"
	prefix       = "proxmox_"
	legacyPrefix = "proxmox_virtual_environment_"
	// idProperty is what the SDK calls an upstream id that is an integer or can be set: Pulumi reserves "id".
	idProperty = "resourceId"
	// bridgeNamedID is the one resource whose id the SDK calls as the bridge does by itself.
	bridgeNamedID = "proxmox_sdn_controller_evpn"
	// nameLength is the longest automatic name, as in the official plugin.
	nameLength = 255
)

// Provider describes the plugin; metadata is the bridge-metadata.json that cmd/schema wrote ("{}" while it writes).
func Provider(metadata []byte) tfbridge.ProviderInfo {
	p := pfbridge.MuxShimWithPF(context.Background(),
		sdkv2.NewProvider(provider.ProxmoxVirtualEnvironment()), fwprovider.New(Version)())
	info := tfbridge.ProviderInfo{
		P: p,
		// Not "proxmoxve": the bridge derives the upstream's prefix ("proxmox_") from it.
		Name:         "proxmox",
		DisplayName:  "Proxmox Virtual Environment (Proxmox VE)",
		Description:  "Proxmox VE resources, built from the upstream provider.",
		License:      "MPL-2.0",
		Repository:   "https://github.com/bpg/terraform-provider-proxmox",
		GitHubOrg:    "bpg",
		Version:      Version,
		Resources:    map[string]*tfbridge.ResourceInfo{},
		MetadataInfo: tfbridge.NewProviderMetadata(metadata),
	}
	renameOwnIDs(&info)
	info.MustComputeTokens(tfbridge.Strategy{Resource: resourceToken, DataSource: dataSourceToken})
	info.SetAutonaming(nameLength, "-")
	return info
}

// renameOwnIDs exposes ids that are integers or inputs as resourceId.
func renameOwnIDs(info *tfbridge.ProviderInfo) {
	info.P.ResourcesMap().Range(func(name string, resource shim.Resource) bool {
		id, ok := resource.Schema().GetOk("id")
		if name != bridgeNamedID && ok && (id.Type() == shim.TypeInt || id.Required() || id.Optional()) {
			info.Resources[name] = &tfbridge.ResourceInfo{
				Fields:    map[string]*tfbridge.SchemaInfo{"id": {Name: idProperty, Type: "string"}},
				ComputeID: tfbridge.DelegateIDField(idProperty, pkg, info.Repository),
			}
		}
		return true
	})
}

func resourceToken(upstream string, r *tfbridge.ResourceInfo) error {
	module, name := moduleAndName(upstream)
	r.Tok = tfbridge.MakeResource(pkg, module, name)
	return nil
}

func dataSourceToken(upstream string, d *tfbridge.DataSourceInfo) error {
	module, name := moduleAndName(upstream)
	d.Tok = tfbridge.MakeDataSource(pkg, module, "get"+name)
	return nil
}

// moduleAndName turns proxmox_a_b_c into ("a/b", "C"), and the older proxmox_virtual_environment_a_b_c into
// ("a/b", "CLegacy"); a name of one part is in module "index".
func moduleAndName(upstream string) (module, name string) {
	rest, legacy := strings.CutPrefix(upstream, legacyPrefix)
	if !legacy {
		rest = strings.TrimPrefix(upstream, prefix)
	}
	parts := strings.Split(rest, "_")
	last := len(parts) - 1
	name = parts[last]
	if legacy {
		name += "Legacy"
	}
	if last == 0 {
		return "index", strcase.ToPascal(name)
	}
	return strings.Join(parts[:last], "/"), strcase.ToPascal(name)
}
