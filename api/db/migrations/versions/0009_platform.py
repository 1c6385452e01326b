"""What the platform stacks report, and nodes without a credential yet."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_KINDS = ("network", "bare-metal-pool", "nodes", "edge", "control-plane", "backup", "observability")


def upgrade() -> None:
    """Add the tables of the provider's own estate; a node may wait for its credential."""
    _nodes()
    _platform_stacks()
    _node_credentials()
    _networks()
    _node_storages()
    _pool_servers()
    _platform_hosts()


def _nodes() -> None:
    op.add_column("nodes", sa.Column("server_number", sa.Integer(), nullable=True))
    op.alter_column("nodes", "api_token_encrypted", nullable=True)
    op.drop_constraint(op.f("ck_nodes_nodestate"), "nodes")
    op.create_check_constraint(
        op.f("ck_nodes_nodestate"), "nodes", "state IN ('pending', 'active', 'draining', 'retired')"
    )
    op.create_check_constraint(
        op.f("ck_nodes_credential_where_in_use"),
        "nodes",
        "api_token_encrypted IS NOT NULL OR state IN ('pending', 'retired')",
    )


def _platform_stacks() -> None:
    kind = sa.Enum(*_KINDS, name="platformkind", native_enum=False, create_constraint=True, length=40)
    op.create_table(
        "platform_stacks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stack", sa.Text(), nullable=False),
        sa.Column("kind", kind, nullable=False),
        sa.Column("report", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_stacks")),
        sa.UniqueConstraint("stack", name=op.f("uq_platform_stacks_stack")),
    )


def _node_credentials() -> None:
    op.create_table(
        "node_credentials",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("api_token_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("deposited_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_node_credentials")),
        sa.UniqueConstraint("node", name=op.f("uq_node_credentials_node")),
    )


def _networks() -> None:
    kind = sa.Enum(
        "cloud", "vswitch", "vxlan", name="networkkind", native_enum=False, create_constraint=True, length=40
    )
    op.create_table(
        "networks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", kind, nullable=False),
        sa.Column("cidr", postgresql.CIDR(), nullable=True),
        sa.Column("tag", sa.Integer(), nullable=True),
        sa.Column("mtu", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_networks")),
        sa.UniqueConstraint("name", name=op.f("uq_networks_name")),
    )


def _node_storages() -> None:
    op.create_table(
        "node_storages",
        sa.Column("node_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", sa.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("fk_node_storages_node_id")),
        sa.PrimaryKeyConstraint("node_id", "name", name=op.f("pk_node_storages")),
    )


def _pool_servers() -> None:
    op.create_table(
        "pool_servers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("datacenter", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_pool_servers_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_servers")),
        sa.UniqueConstraint("name", name=op.f("uq_pool_servers_name")),
        sa.UniqueConstraint("number", name=op.f("uq_pool_servers_number")),
    )


def _platform_hosts() -> None:
    op.create_table(
        "platform_hosts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("exporters", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_hosts")),
        sa.UniqueConstraint("name", name=op.f("uq_platform_hosts_name")),
    )
