# SPDX-License-Identifier: Apache-2.0
# Read by a login shell.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
PS1='\h:\w# '
