[Version] 2.0
# Hz S RI R 50
[Number of Ports] 9999999
[Network Data]
1 0 0
