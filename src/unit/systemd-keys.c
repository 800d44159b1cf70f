/*
 * The keys that systemd has in the sections that reeve reads (versions 252 to 257, from its manual pages and
 * what `systemd --dump-configuration-items` shows): to tell a key that has no effect here from one that is
 * misspelled. Sorted by strcmp(3).
 */

#include <stdlib.h>

#include "unit/keys.h"

/* clang-format off */
static const char *const unit_keys[] = {
        "After", "AllowIsolate", "AssertACPower", "AssertArchitecture", "AssertCPUFeature",
        "AssertCPUPressure", "AssertCPUs", "AssertCapability", "AssertControlGroupController",
        "AssertCredential", "AssertDirectoryNotEmpty", "AssertEnvironment", "AssertFileIsExecutable",
        "AssertFileNotEmpty", "AssertFirstBoot", "AssertGroup", "AssertHost", "AssertIOPressure",
        "AssertKernelCommandLine", "AssertKernelVersion", "AssertMemory", "AssertMemoryPressure",
        "AssertNeedsUpdate", "AssertOSRelease", "AssertPathExists", "AssertPathExistsGlob",
        "AssertPathIsDirectory", "AssertPathIsEncrypted", "AssertPathIsMountPoint",
        "AssertPathIsReadWrite", "AssertPathIsSymbolicLink", "AssertSecurity", "AssertUser",
        "AssertVersion", "AssertVirtualization", "Before", "BindTo", "BindsTo", "CollectMode",
        "ConditionACPower", "ConditionArchitecture", "ConditionCPUFeature", "ConditionCPUPressure",
        "ConditionCPUs", "ConditionCapability", "ConditionControlGroupController",
        "ConditionCredential", "ConditionDirectoryNotEmpty", "ConditionEnvironment",
        "ConditionFileIsExecutable", "ConditionFileNotEmpty", "ConditionFirmware", "ConditionFirstBoot",
        "ConditionGroup", "ConditionHost", "ConditionIOPressure", "ConditionKernelCommandLine",
        "ConditionKernelModuleLoaded", "ConditionKernelVersion", "ConditionMachineTag",
        "ConditionMemory", "ConditionMemoryPressure", "ConditionNeedsUpdate", "ConditionOSRelease",
        "ConditionPathExists", "ConditionPathExistsGlob", "ConditionPathIsDirectory",
        "ConditionPathIsEncrypted", "ConditionPathIsMountPoint", "ConditionPathIsReadWrite",
        "ConditionPathIsSocket", "ConditionPathIsSymbolicLink", "ConditionSecurity", "ConditionUser",
        "ConditionVersion", "ConditionVirtualization", "Conflicts", "DefaultDependencies",
        "Description", "Documentation", "FailureAction", "FailureActionExitStatus", "IgnoreOnIsolate",
        "JobRunningTimeoutSec", "JobTimeoutAction", "JobTimeoutRebootArgument", "JobTimeoutSec",
        "JoinsNamespaceOf", "OnFailure", "OnFailureIsolate", "OnFailureJobMode", "OnSuccess",
        "OnSuccessJobMode", "PartOf", "PropagateReloadFrom", "PropagateReloadTo", "PropagatesReloadTo",
        "PropagatesStopTo", "RebootArgument", "RefuseManualStart", "RefuseManualStop",
        "ReloadPropagatedFrom", "Requires", "RequiresMountsFor", "RequiresOverridable", "Requisite",
        "RequisiteOverridable", "SourcePath", "StartLimitAction", "StartLimitBurst",
        "StartLimitInterval", "StartLimitIntervalSec", "StopPropagatedFrom", "StopWhenUnneeded",
        "SuccessAction", "SuccessActionExitStatus", "SurviveFinalKillSignal", "Upholds", "Wants",
};

static const char *const service_keys[] = {
        "AllowedCPUs", "AllowedMemoryNodes", "AmbientCapabilities", "AppArmorProfile", "BPFProgram",
        "BindLogSockets", "BindPaths", "BindReadOnlyPaths", "BlockIOAccounting", "BlockIODeviceWeight",
        "BlockIOReadBandwidth", "BlockIOWeight", "BlockIOWriteBandwidth", "BusName", "CPUAccounting",
        "CPUAffinity", "CPUQuota", "CPUQuotaPeriodSec", "CPUSchedulingPolicy", "CPUSchedulingPriority",
        "CPUSchedulingResetOnFork", "CPUSetPartition", "CPUShares", "CPUWeight", "CacheDirectory",
        "CacheDirectoryMode", "CapabilityBoundingSet", "ConcurrencyHardMax", "ConcurrencySoftMax",
        "ConfigurationDirectory", "ConfigurationDirectoryMode", "CoredumpFilter", "CoredumpReceive",
        "DefaultMemoryLow", "DefaultMemoryMin", "Delegate", "DelegateSubgroup", "DeviceAllow",
        "DevicePolicy", "DisableControllers", "DynamicUser", "Environment", "EnvironmentFile",
        "ExecCondition", "ExecPaths", "ExecReload", "ExecSearchPath", "ExecStart", "ExecStartPost",
        "ExecStartPre", "ExecStop", "ExecStopPost", "ExitType", "ExtensionDirectories",
        "ExtensionImagePolicy", "ExtensionImages", "FailureAction", "FileDescriptorStoreMax",
        "FileDescriptorStorePreserve", "FinalKillSignal", "Group", "GuessMainPID", "IOAccounting",
        "IODeviceLatencyTargetSec", "IODeviceWeight", "IOReadBandwidthMax", "IOReadIOPSMax",
        "IOSchedulingClass", "IOSchedulingPriority", "IOWeight", "IOWriteBandwidthMax",
        "IOWriteIOPSMax", "IPAccounting", "IPAddressAllow", "IPAddressDeny", "IPCNamespacePath",
        "IPEgressFilterPath", "IPIngressFilterPath", "IgnoreSIGPIPE", "ImportCredential",
        "InaccessibleDirectories", "InaccessiblePaths", "KeyringMode", "KillMode", "KillSignal",
        "LimitAS", "LimitCORE", "LimitCPU", "LimitDATA", "LimitFSIZE", "LimitLOCKS", "LimitMEMLOCK",
        "LimitMSGQUEUE", "LimitNICE", "LimitNOFILE", "LimitNPROC", "LimitRSS", "LimitRTPRIO",
        "LimitRTTIME", "LimitSIGPENDING", "LimitSTACK", "LoadCredential", "LoadCredentialEncrypted",
        "LockPersonality", "LogExtraFields", "LogLevelMax", "LogNamespace", "LogRateLimitBurst",
        "LogRateLimitIntervalSec", "LogsDirectory", "LogsDirectoryMode", "ManagedOOMMemoryPressure",
        "ManagedOOMMemoryPressureDurationSec", "ManagedOOMMemoryPressureLimit", "ManagedOOMPreference",
        "ManagedOOMSwap", "MemoryAccounting", "MemoryDenyWriteExecute", "MemoryHigh", "MemoryKSM",
        "MemoryLimit", "MemoryLow", "MemoryMax", "MemoryMin", "MemoryPressureThresholdSec",
        "MemoryPressureWatch", "MemorySwapMax", "MemoryZSwapMax", "MemoryZSwapWriteback", "MountAPIVFS",
        "MountFlags", "MountImagePolicy", "MountImages", "NFTSet", "NUMAMask", "NUMAPolicy",
        "NetworkNamespacePath", "Nice", "NoExecPaths", "NoNewPrivileges", "NonBlocking", "NotifyAccess",
        "OOMPolicy", "OOMScoreAdjust", "OpenFile", "PAMName", "PIDFile", "PassEnvironment",
        "PermissionsStartOnly", "Personality", "PrivateBPF", "PrivateDevices", "PrivateIPC",
        "PrivateMounts", "PrivateNetwork", "PrivatePIDs", "PrivateTmp", "PrivateUsers", "ProcSubset",
        "ProtectClock", "ProtectControlGroups", "ProtectHome", "ProtectHostname", "ProtectKernelLogs",
        "ProtectKernelModules", "ProtectKernelTunables", "ProtectProc", "ProtectSystem",
        "ReadOnlyDirectories", "ReadOnlyPaths", "ReadWriteDirectories", "ReadWritePaths",
        "RebootArgument", "RefreshOnReload", "ReloadSignal", "RemainAfterExit", "RemoveIPC", "Restart",
        "RestartForceExitStatus", "RestartKillSignal", "RestartMaxDelaySec", "RestartMode",
        "RestartPreventExitStatus", "RestartSec", "RestartSteps", "RestrictAddressFamilies",
        "RestrictFileSystems", "RestrictNamespaces", "RestrictNetworkInterfaces", "RestrictRealtime",
        "RestrictSUIDSGID", "RootDirectory", "RootDirectoryStartOnly", "RootEphemeral", "RootHash",
        "RootHashSignature", "RootImage", "RootImageOptions", "RootImagePolicy", "RootVerity",
        "RuntimeDirectory", "RuntimeDirectoryMode", "RuntimeDirectoryPreserve", "RuntimeMaxSec",
        "RuntimeRandomizedExtraSec", "SELinuxContext", "SecureBits", "SendSIGHUP", "SendSIGKILL",
        "SetCredential", "SetCredentialEncrypted", "SetLoginEnvironment", "Slice", "SmackProcessLabel",
        "SocketBindAllow", "SocketBindDeny", "Sockets", "StandardError", "StandardInput",
        "StandardInputData", "StandardInputText", "StandardOutput", "StartLimitAction",
        "StartLimitBurst", "StartLimitInterval", "StartupAllowedCPUs", "StartupAllowedMemoryNodes",
        "StartupBlockIOWeight", "StartupCPUShares", "StartupCPUWeight", "StartupIOWeight",
        "StartupMemoryHigh", "StartupMemoryLow", "StartupMemoryMax", "StartupMemoryMin",
        "StartupMemorySwapMax", "StartupMemoryZSwapMax", "StateDirectory", "StateDirectoryMode",
        "SuccessExitStatus", "SupplementaryGroups", "SyslogFacility", "SyslogIdentifier", "SyslogLevel",
        "SyslogLevelPrefix", "SystemCallArchitectures", "SystemCallErrorNumber", "SystemCallFilter",
        "SystemCallLog", "TTYColumns", "TTYPath", "TTYReset", "TTYRows", "TTYVHangup",
        "TTYVTDisallocate", "TasksAccounting", "TasksMax", "TemporaryFileSystem", "TimeoutAbortSec",
        "TimeoutCleanSec", "TimeoutSec", "TimeoutStartFailureMode", "TimeoutStartSec",
        "TimeoutStopFailureMode", "TimeoutStopSec", "TimerSlackNSec", "Type", "UMask",
        "USBFunctionDescriptors", "USBFunctionStrings", "UnsetEnvironment", "User", "UtmpIdentifier",
        "UtmpMode", "WatchdogSec", "WatchdogSignal", "WorkingDirectory",
};

static const char *const install_keys[] = {
        "Alias", "Also", "DefaultInstance", "RequiredBy", "UpheldBy", "WantedBy",
};
/* clang-format on */

static int compare(const void *name, const void *entry)
{
        return strcmp(name, *(const char *const *) entry);
}

#define FIND(name, list) bsearch((name), (list), ELEMENTSOF(list), sizeof(*(list)), compare)

bool systemd_key_exists(const char *section, const char *name)
{
        return (streq(section, "Unit") && FIND(name, unit_keys)) ||
               (streq(section, "Service") && FIND(name, service_keys)) ||
               (streq(section, "Install") && FIND(name, install_keys));
}
