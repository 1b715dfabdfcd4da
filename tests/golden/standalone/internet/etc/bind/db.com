$TTL 3600
$ORIGIN com.
@  IN  SOA ns.root-servers.tw. hostmaster.root-servers.tw. (
           2006030801 ; 每修改一次, 數字就要加 1
           3600 ; refresh
           600 ; retry
           86400 ; expire
           60 ; Negative Caching
           )
   IN   NS   ns.root-servers.tw.
example   IN   NS   ns.root-servers.tw.
