"""Judge a denoised image without a clean one."""
