"""The estate's border: zone and rules at Cloudflare, the load balancer, the bastion."""
